"""The Gateway's stand-in and the company's side of a day; shares no code with the rest."""
