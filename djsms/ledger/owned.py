"""Rows of which most columns are the ledger's: an instance may be older than its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models

__all__ = ["OwnedModel"]


class OwnedModel(models.Model):
    """Saves, of a row that is stored, what the application may change and nothing else.

    Whoever holds an instance holds what the row was when it was read. Reports have moved the row
    since, and a save that wrote all columns would undo them.
    """

    application_fields: ClassVar[tuple[str, ...]] = ()
    """The columns that ``save()`` writes once the row is stored."""

    class Meta:
        abstract = True

    def save(
        self,
        *,
        force_insert: bool | tuple[models.base.ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Store a new row whole; of a stored one write ``application_fields`` only.

        Raises ``ValueError`` if ``update_fields`` names others. What must be written all the same,
        ``QuerySet.update()`` writes, which reads no old values.
        """
        if force_insert or self.pk is None or self._state.adding:
            super().save(force_insert=force_insert or True, force_update=force_update, using=using)
            return
        # Which, of a row that is not there, fails by itself.
        super().save(using=using, update_fields=self._writable(update_fields))

    def _writable(self, names: Iterable[str] | None) -> list[str]:
        if names is None:
            deferred = self.get_deferred_fields()
            return [name for name in self.application_fields if name not in deferred]
        asked = list(names)
        if wrong := [name for name in asked if name not in self.application_fields]:
            raise ValueError(
                f"save() of a stored {self._meta.verbose_name} does not write {', '.join(wrong)}: "
                "events decide that. It writes "
                f"{', '.join(self.application_fields) or 'nothing'}."
            )
        return asked
