"""Every setting, read once from the environment (prefix ``MODELOPS_``) and never from anywhere else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
GIB = 1 << 30
MIB = 1 << 20


class Settings(BaseSettings):
    """What can be set. The defaults run on one machine with nothing else installed."""

    model_config = SettingsConfigDict(env_prefix="MODELOPS_", frozen=True, extra="ignore")

    home: Path = Field(default=DATA / "var", description="Folder for the database, the blobs and the keys.")
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("DATABASE_URL", "MODELOPS_DATABASE_URL"),
        description="SQLAlchemy URL. Empty: SQLite in the home folder.",
    )
    blobs_url: str = Field(default="", description="fsspec URL for files. Empty: a folder in the home folder.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8501, ge=1, le=65535, description="Port to listen on.")
    allowed_hosts: str = Field(default="", description="Names the app answers to, with commas, beside localhost.")
    behind_tls: bool = Field(default=False, description="A proxy speaks TLS in front: cookies become Secure.")
    max_upload: int = Field(default=GIB, ge=MIB, description="Largest upload in bytes.")
    worker_memory: int = Field(default=6 * GIB, ge=GIB, description="Most memory of one sandboxed process, bytes.")
    worker_seconds: int = Field(default=1800, ge=10, description="Longest run of one analysis, seconds.")
    workers: int = Field(default=2, ge=1, le=64, description="Analyses that run at the same time.")
    warm: bool = Field(default=True, description="Keep processes ready (600 MB) so that analyses start at once.")
    require_level: str = Field(default="C", pattern="^[ABC]$", description="Refuse to start below this protection.")
    session_idle_minutes: int = Field(default=30, ge=1, description="Minutes without a click until log-out.")
    session_hours: int = Field(default=12, ge=1, description="Hours until log-out in any case.")
    oidc_issuer: str = Field(default="", description="OpenID Connect issuer URL. Empty: local accounts only.")
    oidc_client_id: str = Field(default="", description="Client id at the issuer.")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="Client secret at the issuer.")
    oidc_name: str = Field(default="Single sign-on", description="What the log-in button says.")
    oidc_role_claim: str = Field(default="groups", description="Claim that names a person's groups.")
    oidc_roles: str = Field(default="", description="Group to role, as 'group=role,group=role'.")
    public_url: str = Field(default="", description="Address that browsers use. Empty: http://HOST:PORT.")

    @property
    def database(self) -> str:
        """The database URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'modelops.sqlite3'}"

    @property
    def blobs(self) -> str:
        """The URL of the files, with the default filled in."""
        return self.blobs_url or str(self.home / "blobs")

    @property
    def keys(self) -> Path:
        """The folder of the signing key and the cookie secret."""
        return self.home / "keys"

    @property
    def address(self) -> str:
        """The address that browsers use, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process."""
    return Settings()
