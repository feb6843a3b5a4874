"""Which clauses of a framework each section of the checklist serves: a reading, not legal advice."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Annotated, Self

from pydantic import Field, StrictBool, StringConstraints, model_validator

from modelops.domain.record import Record
from modelops.domain.strict_yaml import load_yaml
from modelops.errors import InvalidInput, NotFound

NOTE = "This is a reading, not legal advice."
SIGN_OFF = "sign_off"

_Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class Clause(Record):
    """One clause of a framework. ``title`` is short and in our own words where the framework has none."""

    id: _Id
    title: _Line | None = None


class Reading(Record):
    """What one section of the checklist serves.

    Where no clause asks for it, ``clauses`` is empty, ``no_clause`` says so in words, and ``nearest`` may name what
    comes closest.
    """

    section: _Id
    clauses: tuple[_Id, ...] = ()
    nearest: tuple[_Id, ...] = ()
    no_clause: _Line | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if bool(self.clauses) == bool(self.no_clause):
            raise ValueError(f"{self.section!r} needs either clauses or the words of no_clause, and not both")
        if self.nearest and self.clauses:
            raise ValueError(f"{self.section!r} has clauses; nearest is only for a section without one")
        return self


class Framework(Record):
    """A framework: its own list of clauses, and how the checklist is read against it.

    ``status`` is the line to show beside it (what is in force since when). ``is_complete`` says whether ``clauses`` is
    the whole list of the framework, or only the part that is used here.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    title: _Line
    status: _Line
    is_complete: StrictBool
    clauses: tuple[Clause, ...] = Field(min_length=1)
    readings: tuple[Reading, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if len(self.titles) != len(self.clauses):
            raise ValueError("a clause id stands twice in the framework's own list")
        sections = [reading.section for reading in self.readings]
        if len(set(sections)) != len(sections):
            raise ValueError("a section is read twice")
        for reading in self.readings:
            named = reading.clauses + reading.nearest
            unknown = [clause for clause in named if clause not in self.titles]
            if unknown:
                raise ValueError(f"{reading.section!r} names {unknown[0]!r}, which is not a clause of {self.title}")
            if len(set(named)) != len(named):
                raise ValueError(f"{reading.section!r} names a clause twice")
        return self

    @cached_property
    def titles(self) -> dict[str, str | None]:
        """The title of each clause, by its id."""
        return {clause.id: clause.title for clause in self.clauses}

    def reading(self, section: str) -> Reading:
        """Return what a section of the checklist, or `SIGN_OFF`, serves.

        Raises
        ------
        NotFound
            If the framework has not been read for this section.
        """
        for reading in self.readings:
            if reading.section == section:
                return reading
        raise NotFound(f"{self.title} has not been read for the section {section!r:.80}.")

    def served_by(self, clause: str) -> tuple[str, ...]:
        """Return the sections that serve a clause; empty if none does.

        Raises
        ------
        NotFound
            If the framework has no such clause.
        """
        if clause not in self.titles:
            raise NotFound(f"{self.title} has no clause {clause!r:.80}.")
        return tuple(reading.section for reading in self.readings if clause in reading.clauses)

    @property
    def unserved(self) -> tuple[Clause, ...]:
        """The clauses of the list that no section serves."""
        return tuple(clause for clause in self.clauses if not self.served_by(clause.id))


@lru_cache(maxsize=32)
def load_framework(text: str) -> Framework:
    """Return the framework in a YAML text. The same text is read once in a process.

    Raises
    ------
    InvalidInput
        If the text is not strict YAML, or a reading names a clause that is not in the framework's own list.
    """
    return load_yaml(text, Framework, what="crosswalk")


def check_covers(framework: Framework, sections: Iterable[str]) -> None:
    """Refuse a crosswalk that leaves a section, or the sign-off, without an explicit reading.

    Raises
    ------
    InvalidInput
        With the sections that are missing, or that the checklist does not have.
    """
    wanted = {*sections, SIGN_OFF}
    found = {reading.section for reading in framework.readings}
    if found != wanted:
        missing, foreign = ", ".join(sorted(wanted - found)), ", ".join(sorted(found - wanted))
        raise InvalidInput(
            f"The crosswalk {framework.id} does not fit the checklist: without a reading: {missing or 'none'}; "
            f"not a section: {foreign or 'none'}."
        )
