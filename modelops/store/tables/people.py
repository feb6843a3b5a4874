"""People, their roles, sessions and tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.people import Authentication, Role
from modelops.store.tables.base import Moment, choice


class UserRow(SQLModel, table=True):
    """A person. Never deleted, only disabled: the audit trail refers to them."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int = Field(default=None, primary_key=True)
    login: str = Field(index=True, unique=True, max_length=150)
    name: str = Field(max_length=150)
    password_hash: str | None = None
    must_change_password: bool = False
    issuer: str | None = None
    subject: str | None = None
    is_active: bool = True
    created_at: datetime = Field(sa_type=Moment)


class UserRoleRow(SQLModel, table=True):
    """One role of one person."""

    __tablename__ = "user_role"

    user_id: int = Field(foreign_key="user.id", primary_key=True)
    role: Role = Field(sa_type=choice(Role), primary_key=True)


class SessionRow(SQLModel, table=True):
    """One log-in. Only the digest of the cookie is kept."""

    __tablename__ = "session"

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="user.id", index=True)
    authentication: Authentication = Field(sa_type=choice(Authentication))
    created_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    authenticated_at: datetime = Field(sa_type=Moment)
    origin: str = Field(default="", max_length=100)


class ThrottleRow(SQLModel, table=True):
    """Failed log-ins of one account or one source."""

    __tablename__ = "throttle"

    key: str = Field(primary_key=True, max_length=200)
    failures: int = 0
    blocked_until: datetime | None = Field(default=None, sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class TokenRow(SQLModel, table=True):
    """A token for the API: acts as its owner. Only its digest is kept."""

    __tablename__ = "api_token"

    id: int = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    name: str = Field(max_length=150)
    token_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)


class FactRow(SQLModel, table=True):
    """A small fact about this installation: the set-up token's digest, the version of the store."""

    __tablename__ = "fact"
    __table_args__ = (CheckConstraint("length(name) > 0", name="named"),)

    name: str = Field(primary_key=True, max_length=60)
    value: str
