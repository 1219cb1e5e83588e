"""Calls to the Hub that are tried again where that helps, and fail in words that name the next step.

huggingface_hub tries uploads and downloads again, but not repository creation, commits, refs, listings and tags. A call
whose answer is lost is not repeated blindly by those who use this: they look first whether it was carried out.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from curation.errors import StudioError, UsageError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Kind = Literal["dataset", "model"]
Say = Callable[[str], None]

TRIES = 5
FIRST_WAIT_S = 1.0
"""Doubled after every try [s]."""
LONGEST_WAIT_S = 310.0
"""The Hub's rate limits are counted in windows of five minutes [s]."""
MOST_S = 900.0
"""From the first try of a call to the beginning of its last [s]; some calls are tried again by huggingface_hub too."""
_PASSING = (408, 429, 500, 502, 503, 504)
_TOKEN = re.compile(r"hf_[A-Za-z0-9_]+")
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT)


class HubError(StudioError):
    """The Hub refused, or cannot be reached. What is on this disk is untouched."""


def quiet(say: str) -> None:
    """Say nothing."""


class Hub:
    """One repository on the Hub.

    Args:
        repo: owner/name.
        kind: of repository.
        token: None takes the one of this machine; it is never shown.
        endpoint: None takes HF_ENDPOINT, or the Hub itself.
        say: is told of waits.
        wait: sleeps that many seconds.
        clock: as `time.monotonic`.

    Raises:
        UsageError: the name is none.
    """

    def __init__(
        self,
        repo: str,
        kind: Kind = "dataset",
        *,
        token: str | None = None,
        endpoint: str | None = None,
        say: Say = quiet,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}", repo) or ".." in repo or "--" in repo:
            raise UsageError(f"'{repo}' names no repository; give owner/name.")
        self.repo, self.kind = repo, kind
        self._token, self._endpoint = token, endpoint
        self.say, self.wait, self._clock = say, wait, clock

    @cached_property
    def api(self) -> HfApi:
        """huggingface_hub's client."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint, token=self._token)

    def refs(self) -> dict[str, str]:
        """Branches and tags: name to commit.

        Raises:
            HubError: as below.
        """
        refs: dict[str, str] = self.call(self.refs_once)
        return refs

    def refs_once(self) -> dict[str, str]:
        """The same, asked once; huggingface_hub's errors are for the caller."""
        found = self.api.list_repo_refs(self.repo, repo_type=self.kind)
        return {ref.name: str(ref.target_commit) for ref in (*found.branches, *found.tags)}

    def call(self, ask: Callable[[], Any]) -> Any:
        """The answer to a question that may be asked again.

        Raises:
            HubError: it was refused, or no answer came in `TRIES` tries or `MOST_S`.
        """
        began = self._clock()
        for number in range(1, TRIES + 1):
            try:
                return ask()
            except self.failures as error:
                wait = self._how_long(error, number)
                if wait is None or number == TRIES or self._clock() - began + wait > MOST_S:
                    self.fail(error)
                self.say(f"The Hub does not answer ({self._short(error)}); trying again in {wait:.0f} s.")
                self.wait(wait)
        raise AssertionError

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """Whatever huggingface_hub raises when the Hub or the way to it fails; these share no base."""
        import httpx
        from huggingface_hub.errors import HfHubHTTPError

        return HfHubHTTPError, httpx.HTTPError, ConnectionError, RuntimeError, OSError

    def answer_lost(self, error: BaseException) -> bool:
        """Whether what was asked may have been done all the same."""
        import httpx
        from huggingface_hub.errors import OfflineModeIsEnabled

        status = _status(error)
        if status is not None:
            return status in _PASSING
        causes = list(_causes(error))
        # Where a download finds nothing to fall back on, the network's failure is only the cause.
        return any(isinstance(cause, (httpx.HTTPError, ConnectionError)) for cause in causes) and not any(
            isinstance(cause, OfflineModeIsEnabled) for cause in causes
        )

    def fail(self, error: BaseException) -> NoReturn:
        """Raise the failure in words.

        Raises:
            HubError: always.
        """
        raise HubError(without_tokens(self._words(error), self._token)) from None

    def _how_long(self, error: BaseException, number: int) -> float | None:
        """Seconds until the next try; None if no other try can help."""
        if not self.answer_lost(error):
            return None
        headers = getattr(getattr(error, "response", None), "headers", {}) or {}
        if limit := re.search(r"t=(\d+)", headers.get("ratelimit", "")):
            return min(float(limit[1]) + 1, LONGEST_WAIT_S)
        after = str(headers.get("retry-after", ""))
        return min(float(after) + 1, LONGEST_WAIT_S) if after.isdecimal() else FIRST_WAIT_S * 2.0 ** (number - 1)

    def _words(self, error: BaseException) -> str:
        from huggingface_hub.errors import (
            GatedRepoError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        again = " Run the same command again to go on; what was uploaded is not sent twice."
        status, where = _status(error), f"{self.kind} {self.repo}"
        if isinstance(error, RevisionNotFoundError):
            return f"{where} has no such revision on the Hub. See its branches and tags there, or leave it out."
        if isinstance(error, GatedRepoError):
            return (
                f"{where} asks for its conditions to be accepted. Do that on its page, then run the same command again."
            )
        if isinstance(error, RepositoryNotFoundError) or status == 404:
            return (
                f"There is no {where} on the Hub, or it is private and this token cannot see it. "
                "Check the name; hf auth whoami says who you are there."
            )
        if isinstance(error, OfflineModeIsEnabled):
            return "The Hub is not asked, because HF_HUB_OFFLINE is set. Unset it."
        if status is None and isinstance(error, OSError) and error.errno in _OF_THIS_DISK:
            return f"{error.filename or 'The disk'}: {error.strerror}. Mend that.{again}"
        match status:
            case 401:
                return "The Hub does not know this token. Log in with hf auth login, or set HF_TOKEN."
            case 403:
                return (
                    f"The token may not do that with {where}: it is read-only, or the namespace is not yours. "
                    "Make one with write access at https://huggingface.co/settings/tokens."
                )
            case 409 | 412:
                return f"{where} was changed on the Hub meanwhile. Pull it, look with studio diff, and publish again."
            case 413:
                return f"The Hub refuses {where}: it is too large."
            case 429:
                return f"The Hub asks to wait: too many requests. Try again in five minutes.{again}"
            case None:
                return f"The Hub cannot be reached ({self._short(error)}). Everything on this disk is intact.{again}"
        return f"The Hub answered {status} for {where}: {self._short(error)}.{again}"

    def _short(self, error: BaseException) -> str:
        text = without_tokens(" ".join(str(error).split()) or type(error).__name__, self._token)
        return text if len(text) < 160 else f"{text[:157]}..."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """A failure, what it was raised from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__


def _status(error: BaseException) -> int | None:
    """The HTTP status of a failure or of what caused it."""
    for cause in _causes(error):
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            return int(status)
        # The Rust client of large files raises ConnectionError with the status in its text alone.
        if isinstance(cause, ConnectionError) and (told := re.search(r"\b([45]\d\d) [A-Z]", str(cause))):
            return int(told[1])
    return None


def without_tokens(text: str, *tokens: str | None) -> str:
    """A text in which nobody's token is left: neither these, nor this machine's, nor what looks like one."""
    from huggingface_hub import get_token

    for token in filter(None, (*tokens, get_token())):
        text = text.replace(token, "hf_...")
    return _TOKEN.sub("hf_...", text)
