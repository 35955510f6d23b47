"""Define what every source kind has: options from the manifest, a plan for a file, and a reader for an input split."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from corpus.clean.options import Clean, Modes
from corpus.document import Failure, Record
from corpus.private.options import Redact, RedactKind
from corpus.storage import File
from corpus.storage.fingerprint import file_identity

VERSION = 1
NOT_READ_KEYS = {"paths", "base", "priority", "rules", "redact", "clean", "max_failures"}
"""Keys that the records of a source do not depend on."""


class Source(BaseModel):
    """A source as the manifest gives it. A new kind is a subclass in a module of its own.

    `paths` are globs, URLs or `@list-of-paths`, and `base` is what relative lines of those lists start from
    (None: the folder of the list); `priority` decides which of two duplicates is kept (the
    higher); `rules` names the presets that decide on its documents (None: those of the kind); `redact` is the private
    data that is masked or counted in its texts, `clean` the rules on lines that cut or count there (None: the
    manifest's, or those of the kind); `max_failures` is the share of its records that may end in quarantine (None: the
    manifest's).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    FILE_KEYS: ClassVar[tuple[str, ...]] = ()
    """Keys beside `paths` that name files or folders: relative ones are taken from the manifest's folder."""

    folders: ClassVar[bool] = False
    """Whether a path may name a folder, which is then one input whose size means nothing."""

    kind: str
    paths: list[str] = Field(min_length=1)
    base: str | None = None
    priority: int = 0
    rules: list[str] | None = None
    redact: Redact = None
    clean: Clean = None
    max_failures: Annotated[float, Field(ge=0, le=1)] | None = None
    snapshot: str | None = None
    license: str | None = None

    @field_validator("paths", "rules", mode="before")
    @classmethod
    def _list_one(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @classmethod
    def default_rules(cls) -> list[str]:
        """Return the rule presets that suit the kind when the manifest names none."""
        return []

    @classmethod
    def default_priority(cls) -> int:
        """Return the priority of the kind when the manifest gives none."""
        return 0

    @classmethod
    def default_redact(cls) -> dict[str, RedactKind]:
        """Return what `redact` is for the kind when the manifest does not say."""
        return {}

    @classmethod
    def default_clean(cls) -> Modes:
        """Return what `clean` is for the kind when the manifest does not say."""
        return {}

    @property
    def private_data(self) -> dict[str, RedactKind]:
        """What is searched for in the stored texts, by kind."""
        return self.redact or {}

    @property
    def masks_records(self) -> bool:
        """Whether the kind itself replaces private data as it reads a record."""
        return False

    def identity(self, file: File) -> str:
        """Identify the content of an input, whatever its path and times. Raises OSError where it cannot be read."""
        return file_identity(file)

    def prepare(self, say: Callable[[str], None] | None) -> None:
        """Create or check what the kind needs before the files of `paths` are listed. Called once, as a build starts.

        `say` receives lines for the terminal; without it nothing missing is created. Raises UserError, with
        the path of the key inside the source, for what is wrong with other files.
        """

    def plan(self, path: str, size: int, split_size: int) -> list[tuple[int, int]]:
        """Return byte ranges [start, end) that cover one file; `[(0, size)]` where it cannot be split."""
        return [(0, size)]

    @abstractmethod
    def read(self, path: str, file: str, start: int, end: int) -> Iterator[Record | Failure]:
        """Yield the records that begin in [start, end) of `path`, in order; `file` is its name for origins.

        Every record of a file comes from exactly one of its ranges. What cannot be read is yielded as
        a Failure with its place and never raised.
        """

    def parameters(self) -> dict[str, Any]:
        """Return what the records depend on besides the input: part of every fingerprint."""
        return {
            **self.model_dump(mode="json", exclude=NOT_READ_KEYS),
            "version": type(self).version(),
        }

    @classmethod
    def version(cls) -> int:
        """Return the version of the kind's reader, raised when the records it yields change."""
        return VERSION


def ranges(size: int, split_size: int) -> list[tuple[int, int]]:
    """Cut [0, size) every `split_size` bytes; an empty file is one range."""
    if size <= split_size:
        return [(0, size)]
    return [(at, min(at + split_size, size)) for at in range(0, size, split_size)]
