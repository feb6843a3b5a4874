"""What the stories of the example share: acting through the services as one of its people."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from modelops.demo.cast import Clock, Player
from modelops.demo.texts import FOLDER, Figures, GivenAnswer, Proof, completed
from modelops.domain.checklist import Gate
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Actor
from modelops.domain.review import EvidenceKind
from modelops.errors import NotFound
from modelops.services import answers, evidence, inventory, reviews, runs
from modelops.services.answers import Answer
from modelops.services.keyring import Keys
from modelops.services.standing import Standing, standing
from modelops.store import Store
from modelops.store.blobs import Staged
from modelops.store.tables import AnswerRow, ReviewRow

SEED = 20_261_101
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Table:
    """A table of the example and what a person says of its columns."""

    name: str
    role: DatasetRole
    path: Path
    roles: ColumnRoles
    task: Task
    positive: str | None


@dataclass(frozen=True)
class Stage:
    """The store, the people, and the files that the training wrote."""

    store: Store
    keys: Keys
    clock: Clock
    players: Mapping[str, Player]
    folder: Path
    figures: Figures
    texts: Mapping[str, str]
    papers: tuple[Path, ...]

    def who(self, login: str) -> Actor:
        """Return the person who acts."""
        return self.players[login].actor

    def text(self, name: str) -> str:
        """Return a text of ``data/demo/texts.yaml`` with its figures."""
        return completed(self.texts[name], self.figures)

    @contextlib.contextmanager
    def staged(self, path: Path) -> Iterator[Staged]:
        """Take a file in as an upload does."""
        with self.store.blobs.stage() as staged, path.open("rb") as file:
            while chunk := file.read(1 << 20):
                staged.add(chunk)
            yield staged

    def add_table(self, model_id: int, table: Table, *, by: str) -> int:
        """Upload a table and correct the guessed columns; return its number."""
        with self.staged(table.path) as staged:
            row = inventory.add_dataset(
                self.store,
                model_id,
                actor=self.who(by),
                at=self.clock(),
                name=table.name,
                role=table.role,
                staged=staged,
                file_name=table.path.name,
            )
        number = row.id
        inventory.correct_columns(
            self.store,
            number,
            actor=self.who(by),
            at=self.clock(),
            roles=table.roles,
            task=table.task,
            positive=table.positive,
        )
        return number

    def add_version(
        self,
        model_id: int,
        *,
        by: str,
        label: str,
        artifact: Path | None,
        parent_id: int | None = None,
        notes: str = "",
    ) -> int:
        """Register a version with its model file and lock, or with predictions only; return its number."""
        with contextlib.ExitStack() as stack:
            staged = stack.enter_context(self.staged(artifact)) if artifact else None
            lock = artifact.with_name("dependencies.txt") if artifact else None
            row = inventory.register_version(
                self.store,
                model_id,
                actor=self.who(by),
                at=self.clock(),
                label=label,
                artifact=staged,
                artifact_name=artifact.name if artifact else "",
                dependencies=lock.read_bytes() if lock else None,
                dependencies_name=lock.name if lock else "",
                parent_id=parent_id,
                notes=notes,
            )
        return row.id

    def open_review(self, version_id: int, gate: Gate, dataset_ids: list[int], *, by: str) -> int:
        """Open a review; return its number."""
        row = reviews.open_review(
            self.store, version_id, actor=self.who(by), at=self.clock(), gate=gate, dataset_ids=dataset_ids
        )
        return row.id

    def request(
        self,
        review_id: int,
        key: str,
        question_id: str,
        *,
        by: str,
        version_id: int,
        data_id: int,
        reference_id: int | None = None,
        train_id: int | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> int:
        """Ask for an analysis under a question; return the number of the run."""
        row = runs.request_run(
            self.store,
            key,
            actor=self.who(by),
            at=self.clock(),
            review_id=review_id,
            question_id=question_id,
            version_id=version_id,
            data_id=data_id,
            reference_id=reference_id,
            train_id=train_id,
            parameters=parameters,
            seed=SEED,
        )
        return row.id

    def answer(self, review_id: int, question_id: str, given: GivenAnswer, *, by: str, reason: str = "") -> None:
        """Answer one question as it now stands."""
        with self.store.reading() as reader:
            row = reader.get(AnswerRow, (review_id, question_id), what="question")
        actor, at = self.who(by), self.clock()
        due = None if given.work_status == "done" else at.date() + timedelta(days=21)
        answers.answer(
            self.store,
            review_id,
            question_id,
            Answer(given.result, given.text, given.work_status, owner_id=actor.user_id, due=due),
            actor=actor,
            at=at,
            seen_revision=row.revision,
            reason=reason,
        )

    def attach(
        self,
        review_id: int,
        question_id: str,
        proof: Proof,
        runs_by_name: Mapping[str, int],
        *,
        by: str,
        reason: str = "",
    ) -> None:
        """Attach one piece of evidence."""
        actor, at, where = self.who(by), self.clock(), (self.store, review_id, question_id)
        if proof.run:
            evidence.attach_run(
                self.store, runs_by_name[proof.run], review_id, question_id, actor=actor, at=at, reason=reason
            )
        elif proof.file:
            path = self._paper(proof.file)
            with self.staged(path) as staged:
                evidence.attach_file(*where, actor=actor, at=at, staged=staged, file_name=path.name, reason=reason)
        elif proof.link:
            evidence.attach_link(*where, actor=actor, at=at, title=proof.title, url=proof.link, reason=reason)
        else:
            kind = EvidenceKind.RECORD if proof.record else EvidenceKind.TEXT
            text = proof.record or proof.text or ""
            evidence.attach_text(*where, actor=actor, at=at, title=proof.title, text=text, kind=kind, reason=reason)

    def answer_all(self, review_id: int, given: Mapping[str, GivenAnswer], *, by: Callable[[str], str]) -> None:
        """Give every answer, and attach everything but analysis runs; ``by`` says who answers a question."""
        for question_id, one in given.items():
            self.answer(review_id, question_id, one, by=by(question_id))
            for proof in one.evidence:
                if not proof.run:
                    self.attach(review_id, question_id, proof, {}, by=by(question_id))

    def attach_runs(
        self,
        review_id: int,
        given: Mapping[str, GivenAnswer],
        runs_by_name: Mapping[str, int],
        *,
        by: Callable[[str], str],
    ) -> None:
        """Attach the finished analysis runs."""
        for question_id, one in given.items():
            for proof in one.evidence:
                if proof.run:
                    self.attach(review_id, question_id, proof, runs_by_name, by=by(question_id))

    def comment(self, review_id: int, text: str, *, by: str, question_id: str | None = None) -> None:
        """Say something."""
        answers.comment(self.store, review_id, text, actor=self.who(by), at=self.clock(), question_id=question_id)

    def standing(self, review_id: int) -> Standing:
        """Return where a review stands, as its page shows it."""
        with self.store.reading() as reader:
            return standing(reader, reader.get(ReviewRow, review_id, what="review"), at=self.clock())

    def _paper(self, name: str) -> Path:
        for folder in (*self.papers, FOLDER / "files"):
            if (folder / name).is_file():
                return folder / name
        raise NotFound(f"The example has no paper {name!r}; looked in data/demo/files and in what the training wrote.")
