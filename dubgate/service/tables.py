"""The service's own tables in the registry's database: tokens, jobs, certificates, messages. No row of the ledger is here.

Times are ISO 8601 texts in UTC, so that text order is time order. Histories (`certificate`) only grow; the rest is state.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

SERVICE = MetaData()
HISTORY = ("service_certificate",)

_NAME = String().with_variant(String(collation="C"), "postgresql")  # bytes decide the order, whatever the locale


def _name(column: str, *, primary_key: bool = False, unique: bool = False, nullable: bool = False) -> Column[str]:
    return Column(column, _NAME, primary_key=primary_key, unique=unique, nullable=nullable)


META = Table("service_meta", SERVICE, _name("key", primary_key=True), Column("value", Text, nullable=False))

TOKEN = Table(
    "service_token",
    SERVICE,
    _name("token_id", primary_key=True),
    _name("secret_sha256", unique=True),
    _name("organisation"),
    _name("party"),
    Column("scopes", Text, nullable=False),  # JSON
    Column("asks_for", Text, nullable=False),  # JSON: the organisations whose releases it may ask about
    Column("note", Text, nullable=False),
    _name("created_at"),
    _name("created_by"),
    _name("expires_at"),
    _name("revoked_at", nullable=True),
)

JOB = Table(
    "service_job",
    SERVICE,
    _name("job_id", primary_key=True),
    _name("organisation"),
    _name("party"),
    _name("token_id", nullable=True),  # none where the service asked itself, as for a renewal
    _name("kind"),
    Column("request", Text, nullable=False),  # JSON
    _name("state"),
    _name("stage"),
    Column("progress", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    _name("not_before"),
    _name("lease_owner", nullable=True),
    _name("lease_until", nullable=True),
    Column("cancel_requested", Integer, nullable=False),
    _name("decision", nullable=True),
    _name("release_id", nullable=True),
    _name("certificate_id", nullable=True),
    Column("error", Text, nullable=True),  # JSON
    Column("pending", LargeBinary, nullable=True),  # what was decided and is still to be signed; encrypted
    _name("once", unique=True, nullable=True),  # of what there must not be two
    _name("created_at"),
    _name("started_at", nullable=True),
    _name("finished_at", nullable=True),
    _name("changed_at"),
    Index("ix_service_job_due", "state", "not_before"),
    Index("ix_service_job_of", "organisation", "created_at", "job_id"),
)

FILE = Table(
    "service_file",
    SERVICE,
    _name("job_id", primary_key=True),
    _name("name", primary_key=True),
    _name("media_type"),
    Column("content", LargeBinary, nullable=False),
)

IDEMPOTENCY = Table(
    "service_idempotency",
    SERVICE,
    _name("organisation", primary_key=True),
    _name("key", primary_key=True),
    _name("request_sha256"),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),  # JSON
    _name("created_at"),
)

CERTIFICATE = Table(
    "service_certificate",
    SERVICE,
    _name("certificate_id", primary_key=True),
    _name("organisation"),
    _name("job_id"),
    _name("file_sha256"),
    _name("release_id"),
    _name("recorded_at"),
    _name("source_sha256"),  # of where its delivery lay: a renewal is of the same
    _name("result"),
    _name("keyid"),
    _name("expires_at"),
    Column("facts", Text, nullable=False),  # JSON: what `may-publish` compares; see certificates.py
    Column("seal", Text, nullable=False),  # over all of the row but the document, whose digest is in the facts
    Column("document", LargeBinary, nullable=False),
    Index("ix_service_certificate_file", "file_sha256", "recorded_at"),
    Index("ix_service_certificate_of", "organisation", "recorded_at", "certificate_id"),
    Index("ix_service_certificate_source", "source_sha256", "recorded_at"),
    Index("ix_service_certificate_end", "expires_at"),
)

STANDING = Table(
    "service_standing",
    SERVICE,
    _name("certificate_id", primary_key=True),
    Column("asked_size", BigInteger, nullable=False),  # the ledger's size when everything it rests on was asked
    _name("asked_at"),
    _name("until"),  # the next moment at which an answer could change by time alone
    Column("keys", Text, nullable=False),  # JSON: [[key, schema], …] that were looked up for it
    Column("seal", Text, nullable=False),
)

WEBHOOK = Table(
    "service_webhook",
    SERVICE,
    _name("webhook_id", primary_key=True),
    _name("organisation"),
    Column("url", Text, nullable=False),
    Column("kinds", Text, nullable=False),  # JSON
    Column("asks_for", Text, nullable=False),  # JSON
    Column("secret", LargeBinary, nullable=False),  # encrypted
    _name("created_at"),
    _name("removed_at", nullable=True),
)

MESSAGE = Table(
    "service_message",
    SERVICE,
    _name("message_id", primary_key=True),
    _name("webhook_id", primary_key=True),
    _name("organisation"),
    _name("kind"),
    Column("body", Text, nullable=False),
    _name("created_at"),
    Column("attempts", Integer, nullable=False),
    _name("next_at", nullable=True),  # none where it was delivered or given up
    _name("delivered_at", nullable=True),
    Column("error", Text, nullable=True),
    Index("ix_service_message_due", "next_at"),
)

WORKER = Table(
    "service_worker",
    SERVICE,
    _name("worker_id", primary_key=True),
    _name("started_at"),
    _name("seen_at"),
)
