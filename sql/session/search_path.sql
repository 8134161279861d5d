-- Returns the schemas in which this session finds tables, as text.
-- Retry: safe
SELECT replace(current_setting('search_path'), '"', '')
