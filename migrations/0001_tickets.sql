-- Tickets: one table. Its ids are made from the creation time, so that one key is the primary key, the order
-- of creation and the keyset cursor of a list.
-- depends:

CREATE TYPE ticket_category AS ENUM ('billing', 'technical', 'account', 'general');
-- The order of the values is the order of urgency: ORDER BY priority DESC puts the most urgent first.
CREATE TYPE ticket_priority AS ENUM ('low', 'medium', 'high', 'critical');
CREATE TYPE ticket_status AS ENUM ('open', 'in_progress', 'resolved', 'closed');

-- The first 64 bits of a UUIDv7 as hexadecimal digits: RFC 9562 section 5.7, with the fraction of the millisecond
-- in rand_a (section 6.2, method 3). A tick is 1/4096 ms: microseconds * 512 / 125. Two different microseconds
-- never share a tick, so these digits order as the times do. Times before 1970 count as 1970.
CREATE FUNCTION uuid_v7_prefix(at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex(
        ((extract(epoch FROM at) * 1000000)::bigint / 1000 << 16)
        | 28672
        | ((extract(epoch FROM at) * 1000000)::bigint % 1000 * 512 / 125)
    ), 16, '0');

-- A new id for a ticket created at that time. The variant and 62 random bits are those of a version 4 UUID.
CREATE FUNCTION uuid_v7(at timestamptz) RETURNS uuid
    LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN (uuid_v7_prefix(at) || right(gen_random_uuid()::text, 17))::uuid;

-- The least id that a ticket created at that time can have: id >= uuid_v7_floor(t) says created_at >= t.
CREATE FUNCTION uuid_v7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (uuid_v7_prefix(greatest(at, '1970-01-01T00:00:00Z')) || '8000000000000000')::uuid;

CREATE TABLE tickets (
    id uuid CONSTRAINT tickets_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    category ticket_category NOT NULL DEFAULT 'general',
    priority ticket_priority NOT NULL DEFAULT 'medium',
    status ticket_status NOT NULL DEFAULT 'open',
    title text NOT NULL,
    description text NOT NULL,
    CONSTRAINT tickets_title_not_empty CHECK (title <> ''),
    CONSTRAINT tickets_title_at_most_200 CHECK (char_length(title) <= 200),
    CONSTRAINT tickets_description_not_empty CHECK (description <> ''),
    CONSTRAINT tickets_version_positive CHECK (version > 0),
    CONSTRAINT tickets_created_at_in_range CHECK (created_at >= '1970-01-01T00:00:00Z' AND created_at < '10000-01-01T00:00:00Z'),
    CONSTRAINT tickets_updated_after_created CHECK (updated_at >= created_at)
);

-- Rows that come without an id (COPY, a hand-written INSERT) get it from their creation time.
CREATE FUNCTION tickets_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := uuid_v7(NEW.created_at);
    NEW.updated_at := coalesce(NEW.updated_at, NEW.created_at);
    RETURN NEW;
END $$;

CREATE TRIGGER tickets_complete BEFORE INSERT ON tickets
    FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION tickets_complete();

-- The facets of a ticket are its category, priority and status: 64 combinations. A filtered list reads the head of
-- each combination that it allows, so it costs the same whatever the filter, the page and the size of the table.
CREATE INDEX tickets_facets_created ON tickets (category, priority, status, id) INCLUDE (updated_at);
CREATE INDEX tickets_facets_updated ON tickets (category, priority, status, updated_at, id);

-- RFC 3339 in UTC with milliseconds and Z.
CREATE FUNCTION rfc3339(at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- A ticket as callers see it.
CREATE FUNCTION ticket_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || t.id
        || '","title":' || to_json(t.title)
        || ',"description":' || to_json(t.description)
        || ',"category":"' || t.category
        || '","priority":"' || t.priority
        || '","status":"' || t.status
        || '","created_at":"' || rfc3339(t.created_at)
        || '","updated_at":"' || rfc3339(t.updated_at)
        || '","version":' || t.version
        || '}';
