-- Returns the first 64 bits of a UUIDv7 as hexadecimal digits: RFC 9562 section 5.7, with the fraction of the
-- millisecond in rand_a (section 6.2, method 3). A tick is 1/4096 ms: microseconds * 512 / 125. Two different
-- microseconds never share a tick, so these digits sort as the times do.
CREATE OR REPLACE FUNCTION uuid_v7_prefix(at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN lpad(to_hex(
        ((extract(epoch FROM at) * 1000000)::bigint / 1000 << 16)
        | 28672
        | ((extract(epoch FROM at) * 1000000)::bigint % 1000 * 512 / 125)
    ), 16, '0');
