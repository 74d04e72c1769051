"""One request: who asks, in which language, with which form; and how a page becomes an answer."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from firmware.text.catalogue import Text, mark
from firmware.text.times import Times
from provisioning.server.pages import language, printing, sessions
from provisioning.server.pages.gate import READING
from provisioning.server.pages.office import Office
from provisioning.server.pages.sessions import Account, Session

YEAR = 365 * 86400


class Notice(NamedTuple):
    """What has just been done, told on the page that comes next."""

    said: str
    tone: str = "good"


# By the word in ?done=…: nobody can put a text of theirs on our pages.
NOTICES: dict[str, Notice] = {
    "language": Notice(mark("The language is saved.")),
    "password": Notice(mark("The password is changed. Elsewhere you are logged out.")),
    "logged-out": Notice(mark("You are logged out.")),
    "revoked": Notice(mark("The booth is revoked: it is refused from now on. Undo stands beside its name."), "warn"),
    "admitted": Notice(mark("The booth may sync again.")),
    "asked-again": Notice(mark("Within a minute the booth offers once more what it keeps back.")),
    "token-gone": Notice(mark("The token is taken back.")),
    "lifted": Notice(mark("The refusal is lifted. The booths learn it within seconds.")),
    "consented": Notice(mark("The consent is recorded. The booths learn it within seconds.")),
    "withdrawn": Notice(mark("The consent is withdrawn. The booths learn it within seconds.")),
    "assigned": Notice(mark("Saved. The booths take it over with their next contact.")),
    "held": Notice(mark("The hold stands. The booths learn it within seconds.")),
    "released": Notice(mark("The hold is released. The booths learn it within seconds."), "warn"),
    "put-away": Notice(mark("The list is put away. Its calls stay; it can be restored."), "warn"),
    "restored": Notice(mark("The list is back.")),
    "seen": Notice(mark("Marked as seen. It stands below, with your note.")),
    "unseen": Notice(mark("It counts as not seen again.")),
    "undone": Notice(mark("The upload is undone: its list is gone. The file on your computer is untouched.")),
}


class Refused(Exception):
    """What was asked for cannot be done; shown as a page of its own, in the asker's language."""

    def __init__(self, said: str, status: int = HTTPStatus.BAD_REQUEST, back: str = "/", **values: object) -> None:
        super().__init__(said)
        self.said, self.status, self.back, self.values = said, status, back, values


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request, recognised."""

    office: Office
    request: Request
    session: Session | None
    text: Text
    csrf: str
    now: float
    form: FormData

    @property
    def account(self) -> Account:
        """Who asks; only for pages behind the log-in."""
        assert self.session is not None
        return self.session.account

    @property
    def times(self) -> Times:
        """Says times as of now, in the office's zone."""
        return Times(self.text, self.office.zone, self.now)

    def field(self, name: str, most: int = 1000) -> str:
        """A text field of the form, trimmed."""
        value = self.form.get(name, "")
        return value.strip()[:most] if isinstance(value, str) else ""

    def fields(self, name: str) -> list[str]:
        """All values of a field that comes several times."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """A file of the form, if one was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    def page(self, template: str, status: int = HTTPStatus.OK, **values: object) -> Response:
        """A page with what every page shows."""
        shared = {
            "text": self.text,
            "times": self.times,
            "csrf": self.csrf,
            "account": self.session.account if self.session else None,
            "here": self.request.url.path.split("/")[1],
            "conflicts": self._conflicts() if self.session else 0,
            "notice": NOTICES.get(self.request.query_params.get("done", "")),
            "in_language": self._in_language,
        }
        return printing.html(template, shared | values, status)

    def _conflicts(self) -> int:
        with self.office.database.read() as connection:
            return self.office.conflicts.count(connection, self.now)

    def _in_language(self, other: str) -> str:
        """This page in another language; the answer to a form cannot be had again, so then the page before it."""
        if self.request.method not in READING:
            return f"/{self.request.url.path.split('/')[1]}?lang={other}"
        kept = [pair for pair in self.request.query_params.multi_items() if pair[0] not in {"lang", "done"}]
        return f"{self.request.url.path}?{urlencode([*kept, ('lang', other)])}"


def go(path: str, done: str = "") -> Response:
    """On to another page, which then tells what was done."""
    return RedirectResponse(f"{path}?done={done}" if done else path, HTTPStatus.SEE_OTHER)


Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(office: Office, page: Page, *, before_log_in: bool = False) -> Endpoint:
    """A page as Starlette wants it. Whoever is not logged in is shown the log-in first."""

    async def answer(request: Request) -> Response:
        visit = await run_in_threadpool(recognised, office, request, before_log_in=before_log_in)
        if isinstance(visit, Response):
            return visit
        if request.method in READING:
            return await run_in_threadpool(_answered, page, visit)
        try:
            async with request.form(max_files=1, max_fields=200) as form:
                return await run_in_threadpool(_posted, page, replace(visit, form=form))
        except HTTPException:
            return _refusal(visit, Refused(mark("The form did not arrive whole. Please send it again.")))

    return answer


def recognised(office: Office, request: Request, *, before_log_in: bool = False) -> Visit | Response:
    """Who asks, or the answer to somebody who may not."""
    visit = _visit(office, request)
    return visit if before_log_in or visit.session else _log_in_first(visit)


def _visit(office: Office, request: Request) -> Visit:
    now, token, session = office.now(), request.cookies.get(sessions.COOKIE), None
    if token:
        with office.database.read() as connection:
            session = sessions.find(connection, token, now)
    visitor = request.cookies.get(sessions.VISITOR, "")
    return Visit(
        office=office,
        request=request,
        session=session,
        text=language.load(_language(request, session)),
        csrf=session.csrf if session else sessions.visitor_csrf(office.secret, visitor),
        now=now,
        form=FormData(),
    )


def _language(request: Request, session: Session | None) -> language.Language:
    wishes = (
        language.known(request.query_params.get("lang")),
        language.known(request.cookies.get(language.COOKIE)),
        language.known(session.account.language) if session else None,
        language.accepted(request.headers.get("accept-language", "")),
    )
    return next(filter(None, wishes), "ja")


def _log_in_first(visit: Visit) -> Response:
    if visit.request.method not in READING:
        return _refusal(visit, Refused(mark("You are logged out. Please log in and send it again."), 403, "/log-in"))
    target = visit.request.url.path + (f"?{query}" if (query := visit.request.url.query) else "")
    return RedirectResponse(f"/log-in?{urlencode({'next': target})}", HTTPStatus.SEE_OTHER)


def _posted(page: Page, visit: Visit) -> Response:
    visitor = visit.session or visit.request.cookies.get(sessions.VISITOR)
    if not visitor or not hmac.compare_digest(visit.field("csrf").encode(), visit.csrf.encode()):
        stale = mark(
            "This form is out of date, perhaps because you logged in again. Go back, reload it and send it again."
        )
        return _refusal(visit, Refused(stale, HTTPStatus.FORBIDDEN))
    return _answered(page, visit)


def _answered(page: Page, visit: Visit) -> Response:
    try:
        answer = page(visit)
    except Refused as refused:
        answer = _refusal(visit, refused)
    asked = language.known(visit.request.query_params.get("lang"))
    if asked:
        keep(answer, visit.request, language.COOKIE, asked, YEAR)
    return answer


def _refusal(visit: Visit, refused: Refused) -> Response:
    title = visit.text("Not found") if refused.status == HTTPStatus.NOT_FOUND else visit.text("That did not work")
    said = visit.text(refused.said, **refused.values)
    return visit.page("refusal.html", refused.status, title=title, said=said, back=refused.back)


def keep(answer: Response, request: Request, name: str, value: str, seconds: float | None) -> None:
    """Give the browser a cookie that no script can read and that no other site's request carries."""
    lasts = None if seconds is None else int(seconds)
    secure = request.url.scheme == "https"
    answer.set_cookie(name, value, max_age=lasts, httponly=True, samesite="strict", secure=secure)


def new_visitor() -> str:
    """What a browser holds while nobody is logged in."""
    return secrets.token_urlsafe(18)
