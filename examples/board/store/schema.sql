-- The board. Each change of it has a row in outbox, written in the same transaction.
CREATE TABLE about   (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE users   (id TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE TABLE columns (id TEXT PRIMARY KEY, title TEXT NOT NULL, place INTEGER NOT NULL,
                      cards TEXT NOT NULL, -- their ids from top to bottom, as JSON
                      rev INTEGER NOT NULL) STRICT;
CREATE TABLE cards   (id TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL,
                      assignee TEXT REFERENCES users (id), column_id TEXT NOT NULL REFERENCES columns (id),
                      rev INTEGER NOT NULL, updated_by TEXT NOT NULL REFERENCES users (id), updated_at INTEGER NOT NULL) STRICT;
-- An id that was used once is not used again: a create that is sent once more must not undo a delete.
CREATE TABLE made_cards (id TEXT PRIMARY KEY, made BLOB NOT NULL) STRICT; -- the hash of who made it, and of what
CREATE TABLE happened (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT; -- edits and moves, by their own ids
CREATE INDEX happened_at ON happened (at);

CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE TABLE messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
                       conversation TEXT NOT NULL REFERENCES conversations (id),
                       author TEXT NOT NULL REFERENCES users (id), text TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX messages_of ON messages (conversation, seq);

CREATE TABLE sessions (secret BLOB PRIMARY KEY, -- its hash
                       user TEXT NOT NULL REFERENCES users (id), expires INTEGER NOT NULL) STRICT;

-- AUTOINCREMENT, since an id names events to the hub and so is never used again.
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, events TEXT NOT NULL) STRICT;
