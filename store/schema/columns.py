"""What every table is made of: the naming of constraints, money, instants, the books."""

from __future__ import annotations

from sqlalchemy import DateTime, MetaData, Numeric, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(20, 6)
INSTANT = DateTime(timezone=True)
DB_NOW = text("clock_timestamp()")
BOOK = "book in ('live', 'test')"
COMPONENTS = ("brokerage", "stt", "exchange_charge", "sebi_fee", "stamp_duty", "gst")  #: of the charges of a trade
