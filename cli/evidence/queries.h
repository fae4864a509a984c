// The questions of gather.cc: each answers with one JSON array.
// $1: the run, or NULL; $2: since when, or NULL; one of both is given.
#pragma once

namespace pgalter::cli::evidence {

// Of the runs that are meant. Failures are told without their text, which can quote a row.
inline constexpr const char* kRuns = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object(
  'run', r.run, 'command', r.command, 'table', r.target, 'state', r.state, 'phase', r.phase,
  'failed', r.failure IS NOT NULL, 'finished', r.finished_at IS NOT NULL,
  'by', r.created_by, 'done_rows', COALESCE((SELECT sum((s.spec->>'done_rows')::bigint)
    FROM pgalter.step s WHERE s.run = r.run), r.done_rows),
  'made_lsn', to_jsonb(r)->>'made_lsn', -- not there in a schema that an older program has made
  'started_at', to_char(r.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'ended_at', to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'duration_s', EXTRACT(epoch FROM r.ended_at - r.created_at)::float8,
  'runner', (SELECT h.host FROM pgalter.heartbeat h WHERE h.run = r.run),
  'gates_passed', COALESCE((SELECT to_jsonb(c)->'passed' FROM pgalter.control c
                            WHERE c.run = r.run), '[]'),
  'steps', COALESCE((SELECT jsonb_agg(jsonb_build_object(
      'ordinal', s.ordinal, 'id', s.id, 'kind', s.kind, 'phase', s.phase, 'state', s.state,
      'started_at', to_char(s.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'ended_at', to_char(s.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      -- One that was taken back has ended with that.
      'duration_s', CASE WHEN s.state = 'done'
                         THEN EXTRACT(epoch FROM s.ended_at - s.started_at)::float8 END) ORDER BY s.ordinal)
    FROM pgalter.step s WHERE s.run = r.run), '[]'),
  'slowed', COALESCE((SELECT jsonb_agg(w ORDER BY w->>'from') FROM (
      SELECT jsonb_build_object('reason', throttle_reason, 'samples', count(*),
        'lowest_ratio', min(throttle_ratio),
        'from', to_char(min(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'to', to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) w
      FROM pgalter.sample p WHERE p.run = r.run AND throttle_reason <> ''
      GROUP BY throttle_reason) g), '[]'),
  'samples', (SELECT count(*) FROM pgalter.sample p WHERE p.run = r.run),
  'blocked_s', NULL,
  'quarantined', COALESCE((SELECT jsonb_agg(q ORDER BY q->>'sqlstate') FROM (
      SELECT jsonb_build_object('table', relid::regclass::text, 'sqlstate', sqlstate, 'rows', count(*)) q
      FROM pgalter.quarantine k WHERE k.run = r.run GROUP BY relid, sqlstate) g), '[]')
  ) ORDER BY r.created_at, r.run), '[]')::text
FROM pgalter.run r
WHERE r.run = $1::uuid OR r.created_at >= $2::timestamptz OR r.ended_at >= $2::timestamptz
  OR ($2 IS NOT NULL AND r.state IN ('running', 'paused', 'waiting', 'ready'))
)sql";

// $3: the versions that the log and the requests name for the run.
inline constexpr const char* kMigrations = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object(
  'version', m.version, 'title', m.title, 'file', m.file, 'format', m.format,
  'bytes_sha256', m.bytes_sha256, 'text_sha256', m.text_sha256,
  'statements_sha256', m.statements_sha256, 'header', m.header, 'has_verify', m.has_verify,
  'state', m.state, 'run', m.run, 'down_run', m.down_run, 'by', m.applied_by,
  'started_at', to_char(m.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'ended_at', to_char(m.ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  ) ORDER BY m.position), '[]')::text
FROM pgalter.migration m
WHERE m.version = ANY ($3::text[]) OR m.run = $1::uuid OR m.down_run = $1::uuid
  OR m.started_at >= $2::timestamptz OR m.ended_at >= $2::timestamptz
)sql";

// What the run is known by: the versions of the row and of the log, which also knows those that
// were taken back; and its own number, which what the policy has to do with it goes by.
inline constexpr const char* kVersions = R"sql(
SELECT COALESCE(jsonb_agg(DISTINCT v), '[]')::text FROM (
  SELECT version v FROM pgalter.migration m WHERE m.run = $1::uuid OR m.down_run = $1::uuid
  UNION ALL
  SELECT subject FROM pgalter.audit_log
  WHERE event LIKE 'migration.%' AND strpos(payload, $1::uuid::text) > 0
  UNION ALL
  SELECT $1::uuid::text) known
)sql";

inline constexpr const char* kRequests = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object(
  'request', q.id, 'version', q.version, 'direction', q.direction, 'file', q.file,
  'text_sha256', q.text_sha256, 'plan_sha256', q.plan_sha256, 'plan', q.plan,
  'author', q.author, 'reason', q.reason, 'state', q.state, 'run', q.run, 'by', q.requested_by,
  'at', to_char(q.requested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'approvals', COALESCE((SELECT jsonb_agg(jsonb_build_object(
      'meaning', a.meaning, 'by', a.approved_by, 'name', a.printed_name, 'reason', a.reason,
      'at', to_char(a.approved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      ORDER BY a.approved_at, a.meaning)
    FROM pgalter.approval a WHERE a.request = q.id), '[]')) ORDER BY q.id), '[]')::text
FROM pgalter.request q
WHERE q.run = $1::uuid OR q.version = ANY ($3::text[]) OR q.requested_at >= $2::timestamptz
  OR EXISTS (SELECT FROM pgalter.approval a
             WHERE a.request = q.id AND a.approved_at >= $2::timestamptz)
)sql";

inline constexpr const char* kExemptions = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object(
  'exemption', e.id, 'version', e.version, 'direction', e.direction, 'lacked', e.lacked,
  'reason', e.reason, 'by', e.used_by, 'reviewed_by', e.reviewed_by, 'review', e.review,
  'at', to_char(e.used_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'due', to_char(e.due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'reviewed_at', to_char(e.reviewed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  ORDER BY e.id), '[]')::text
FROM pgalter.exemption e
CROSS JOIN (SELECT $1::uuid) unused -- as all of these have the same parameters
WHERE e.version = ANY ($3::text[]) OR e.used_at >= $2::timestamptz
  OR e.reviewed_at >= $2::timestamptz
)sql";

// What `watch --for` has seen. Of figures only the changes tell something.
inline constexpr const char* kObservations = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object('run', o.run, 'by', o.seen_by, 'facts', o.facts,
  'at', to_char(o.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY o.run, o.id),
  '[]')::text
FROM pgalter.observation o
CROSS JOIN (SELECT $3::text[]) unused
WHERE o.run = $1::uuid OR o.at >= $2::timestamptz
)sql";

// What the log says of partitions: of a run's, and whether they, or their table, were held.
inline constexpr const char* kPartitions = R"sql(
WITH said AS (
  SELECT l.seq, l.at, l.db_user, l.os_user, l.event, l.subject, l.payload::jsonb about
  FROM pgalter.audit_log l WHERE l.event LIKE 'partition.%')
SELECT COALESCE(jsonb_agg(jsonb_build_object(
  'event', split_part(s.event, '.', 2), 'partition', s.subject, 'table', s.about->>'table',
  'run', s.about->>'run', 'reason', s.about->>'reason', 'file', s.about->>'file',
  'sha256', s.about->>'sha256', 'rows', (s.about->>'rows')::int8, 'by', s.db_user, 'os_user', s.os_user,
  'at', to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY s.seq), '[]')::text
FROM said s
CROSS JOIN (SELECT $3::text[]) unused
WHERE s.at >= $2::timestamptz OR s.about->>'run' = $1::uuid::text
  OR s.event IN ('partition.hold', 'partition.release') AND (
    s.subject IN (SELECT o.subject FROM said o WHERE o.about->>'run' = $1::uuid::text)
    OR s.subject IN (SELECT r.target FROM pgalter.run r WHERE r.run = $1::uuid))
)sql";

// Evidence is of no migration by name: of a run, the newest of each kind when it began.
inline constexpr const char* kAttested = R"sql(
SELECT COALESCE(jsonb_agg(jsonb_build_object('kind', kind, 'file', file, 'sha256', sha256,
  'note', note, 'by', attested_by,
  'at', to_char(attested_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  ORDER BY attested_at, kind), '[]')::text
FROM (SELECT e.*, row_number() OVER (PARTITION BY kind ORDER BY attested_at DESC, id DESC) nth
      FROM pgalter.evidence e
      WHERE attested_at >= $2::timestamptz
        OR attested_at <= (SELECT created_at FROM pgalter.run WHERE run = $1::uuid)) ranked
WHERE $2 IS NOT NULL OR nth = 1
)sql";

}  // namespace pgalter::cli::evidence
