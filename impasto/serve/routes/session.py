"""Sessions: a page hands in a token and gets a cookie."""
from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from impasto.serve.answers import Caller, Studio
from impasto.serve.guard import SESSION_DAYS, Who
from impasto.serve.service import Service

router = APIRouter(prefix="/session", tags=["session"])


class Login(BaseModel):
    token: str = Field(max_length=200, description="the server's token, a user's key, or the ticket of the page's address")


@router.post("", summary="Log in: a cookie for a token")
def log_in(login: Login, request: Request, response: Response, studio: Studio) -> dict[str, Any]:
    guard = studio.guard
    who, secret = guard.open_session(login.token, request.client.host if request.client else "?")
    age = SESSION_DAYS * 86400
    response.set_cookie(guard.cookie, secret, max_age=age, httponly=True, samesite="strict", secure=guard.secure)
    return _told(studio, who)


@router.get("", summary="Who am I, and what must I send to change something")
def whoami(who: Caller, studio: Studio) -> dict[str, Any]:
    return _told(studio, who)


@router.delete("", status_code=204, summary="Log out")
def log_out(who: Caller, response: Response, studio: Studio) -> None:
    studio.guard.close_session(who)
    response.delete_cookie(studio.guard.cookie)


def _told(studio: Service, who: Who) -> dict[str, Any]:
    csrf = studio.guard.csrf(who.session) if who.session else None
    return {"name": who.name, "role": who.role, "csrf": csrf}
