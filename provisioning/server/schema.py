"""The server's tables. Times are UTC seconds since 1970, NULL where the booth did not know; ids are UUIDs as text.

What the tables look like on disk is the business of the numbered steps in `migrations`; a test holds the two together.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    true,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

server_note = Table(  # "epoch" of the facts, "url" that booths are told
    "server_note",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# People

administrator = Table(
    "administrator",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),  # argon2id, with its parameters
    Column("language", Text, nullable=False, server_default="ja"),
    Column("created", Double, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),  # SHA-256 of what the browser's cookie holds
    Column("administrator", ForeignKey("administrator.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False, index=True),
)

log_in_try = Table(  # see pages.throttle
    "log_in_try",
    metadata,
    Column("whose", Text, primary_key=True),  # a keyed hash: what was typed as a name may be a password
    Column("tries", Integer, nullable=False),
    Column("latest", Double, nullable=False, index=True),
)

# Booths

booth = Table(
    "booth",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),  # raw Ed25519 public key, made on the booth
    Column("enrolled", Double, nullable=False),
    Column("revoked", Double),
    Column("seen", Double),  # the last signed request, to about ten seconds
    Column("software", Text, nullable=False, server_default=""),
    Column("pending_calls", Integer, nullable=False, server_default="0"),
    Column("pending_recordings", Integer, nullable=False, server_default="0"),
    Column("oldest", Double),  # of what is pending
    Column("free_bytes", BigInteger),  # NULL until the booth has told
    Column("faults", JSON, nullable=False, server_default="[]"),  # words such as "card-full"
    Column("kept_back", Integer, nullable=False, server_default="0"),  # things that the server refused too often
    Column("reasons", JSON, nullable=False, server_default="[]"),  # of the first of them: firmware.wire.KeptBack
    Column("retry", Double),  # when a supervisor last wished that the booth offer them once more
    Column("full_in", Double),  # days until its card is full; NULL: not foreseen
    Column("pending_bytes", BigInteger, nullable=False, server_default="0"),  # of the pending recordings, roughly
    Column("pace", Double, nullable=False, server_default="0"),  # bytes a second at which they come; 0: unknown
    Column("opens", Double),  # when its line's hours for recordings begin; NULL: they may come at any time
)

token = Table(
    "token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret", Text, nullable=False, unique=True),  # SHA-256, in hex: the secret itself is shown once
    Column("name", Text, nullable=False),  # of the booth that it is for
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("spent_by", ForeignKey("booth.id")),
    Column("revoked", Double),
)

# Lists

call_list = Table(
    "list",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sample", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("created", Double, nullable=False),
    Column("removed", Double),
)

list_row = Table(
    "list_row",
    metadata,
    Column("list", ForeignKey("list.id", ondelete="CASCADE"), primary_key=True),
    Column("row", Integer, primary_key=True, autoincrement=False),  # as in the file
    Column("name", Text, nullable=False),
    Column("reading", Text, nullable=False),
    Column("numbers", JSON, nullable=False),  # as text; the booth reads them again
    Column("keys", JSON, nullable=False),  # Number.key of each
    Column("identifier", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
)

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("list", ForeignKey("list.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("text", Text, nullable=False),
)

assignment = Table(
    "assignment",
    metadata,
    Column("list", ForeignKey("list.id", ondelete="CASCADE"), primary_key=True),
    Column("booth", ForeignKey("booth.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# What happened

call = Table(
    "call",
    metadata,
    Column("id", Text, primary_key=True),
    Column("booth", ForeignKey("booth.id"), nullable=False),
    Column("moment", Double, nullable=False),  # `at`, or when it was taken in: what pages sort by
    Column("at", Double),  # when it was dialled or came in
    Column("agent", Text, nullable=False),
    Column("number", Text, nullable=False),  # Number.key
    Column("shown", Text, nullable=False),
    Column("customer", Text, nullable=False, server_default=""),  # name
    Column("reading", Text, nullable=False, server_default=""),
    Column("list", Text, nullable=False, server_default=""),  # UUID; empty: a list of the booth's own, or none
    Column("list_name", Text, nullable=False, server_default=""),
    Column("list_row", Integer),  # as in the list's file
    Column("sample", Boolean, nullable=False, server_default=false()),
    Column("emergency", Boolean, nullable=False, server_default=false()),
    Column("incoming", Boolean, nullable=False, server_default=false()),
    Column("why", Text, nullable=False, server_default=""),  # the agent's reason to call somebody off the list
    Column("result", Text),  # code
    Column("due", Double),  # asked-for time of a callback
    Column("note", Text, nullable=False, server_default=""),
    Column("answered", Boolean, nullable=False, server_default=false()),
    Column("cause", Text),
    Column("party", Text),  # who hung up,
    Column("sure", Boolean, nullable=False, server_default=true()),  # and whether that is more than likely
    Column("talk", Double, nullable=False, server_default="0"),
    Column("estimated", Boolean, nullable=False, server_default=false()),  # the line guessed the answer: so is `talk`
    Column("hidden", Text, nullable=False, server_default=""),  # why there is no number: hw.events.Hidden, by its name
    Column("verdict", Text),  # the guard's word
    Column("reason", Text),  # the guard's
    Column("overridden", Boolean, nullable=False, server_default=false()),
    Column("claim", Text, nullable=False, server_default=""),  # firmware.known.Hold, by its value
    Column("version", Integer, nullable=False),  # of the result; a higher one replaces a lower one
    Column("record", Text, nullable=False),  # all that the booth told, as it told it
    Column("taken", Double, nullable=False),  # when this version came
    Index(None, "moment", "id"),
    Index(None, "number", "moment"),
    Index(None, "booth", "moment"),
    Index(None, "list", "list_row", "result"),
    Index(None, "list_name", "moment"),
    Index(None, "agent", "moment"),
    Index(None, "result", "moment"),
    Index(None, "claim", "moment"),
)

# All that calls are found and counted by, without the records' weight: SQLite reads it in a sixth of the time. PostgreSQL
# keeps long records apart by itself, and would refuse a long note here.
Index(
    "ix_call_found",
    *(call.c.moment, call.c.id, call.c.incoming, call.c.result, call.c.booth, call.c.agent, call.c.list_name),
    *(call.c.customer, call.c.reading, call.c.shown, call.c.number, call.c.note),
).ddl_if(dialect="sqlite")

memo = Table(  # a voice memo is a recording of its own; the call's marks name it
    "memo",
    metadata,
    Column("recording", Text, primary_key=True),
    Column("call", Text, nullable=False, index=True),
)

recording = Table(
    "recording",
    metadata,
    Column("id", Text, primary_key=True),  # of the call, or of a memo
    Column("booth", ForeignKey("booth.id"), nullable=False),
    Column("call", Text, nullable=False, index=True),  # the same as `id` but for memos; its record may come later
    Column("state", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),  # of the sealed journal, as far as it is here
    Column("seconds", Double, nullable=False, server_default="0"),  # of the whole file, pre-roll included
    Column("answer_seconds", Double, nullable=False, server_default="0"),  # where in the file the answer mark is
    Column("sha256", Text),  # of the sealed journal, in hex; NULL while partial
    Column("peaks", LargeBinary),  # waveform: agent and customer in turn, one byte each per bucket
    Column("problem", Text, nullable=False, server_default=""),  # provisioning.faults: words and numbers
    Column("begun", Double, nullable=False),
    Column("taken", Double),  # when it was all here
    Column("erased", Double),  # when its time was over: from then on there are no files, or are to be none
    Column("erased_why", Text, nullable=False, server_default=""),  # the rule, such as "REF after 365 days"
    Index(None, "state", "begun"),
    Index(None, "begun", "booth", "bytes"),  # sums read the index alone, not the pictures
    Index(None, "erased", "state", "bytes"),
    # partial: on its way. taken: all here, not opened yet. whole. torn: something is wrong; what is whole plays.
    # refused: nothing of it can be opened.
    CheckConstraint("state IN ('partial', 'taken', 'whole', 'torn', 'refused')", name="state"),
)

shift = Table(
    "shift",
    metadata,
    Column("id", Text, primary_key=True),
    Column("booth", ForeignKey("booth.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),  # of a break
    Column("at", Double),
    Column("raw", Text, nullable=False),
    Column("taken", Double, nullable=False),
    Index(None, "booth", "at"),
)

fact = Table(  # only ever added to: the database itself refuses the rest
    "fact",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("at", Double),
    Column("booth", Text, nullable=False),  # the name it goes by
    Column("sender", ForeignKey("booth.id")),  # NULL: made here
    Column("agent", Text, nullable=False),
    Column("call", Text, index=True),
    Column("result", Text),
    Column("due", Double),
    Column("note", Text, nullable=False, server_default=""),
    Column("product", Text, nullable=False, server_default=""),
    Column("raw", Text, nullable=False),  # as it was told, without `seq`
    Column("taken", Double, nullable=False),
    Index(None, "number", "seq"),
    sqlite_autoincrement=True,
)

claim = Table(
    "claim",
    metadata,
    Column("number", Text, primary_key=True),
    Column("booth", ForeignKey("booth.id"), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("expires", Double, nullable=False, index=True),
)

conflict_seen = Table(  # pairs of calls that a supervisor has looked at; see pages.splits
    "conflict_seen",
    metadata,
    Column("earlier", ForeignKey("call.id", ondelete="CASCADE"), primary_key=True),
    Column("later", ForeignKey("call.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("who", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
)
