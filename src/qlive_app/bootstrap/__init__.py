"""The composition root: the only place that knows which class stands behind which port."""

from qlive_app.bootstrap.assembly import Assembly, assemble
from qlive_app.bootstrap.clouds import Media
from qlive_app.bootstrap.rules import rules_of

__all__ = ["Assembly", "Media", "assemble", "rules_of"]
