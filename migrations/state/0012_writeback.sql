-- history.writeback: whether the tool whose directory it is has this migration in its own table, or
-- has had it. What it had and has no more it has taken back itself.
ALTER TABLE pgalter.migration ADD COLUMN told boolean NOT NULL DEFAULT false;

-- What was taken over from a tool's table was in it.
UPDATE pgalter.migration m SET told = true FROM pgalter.audit_log l
WHERE l.event = 'migration.imported' AND l.subject = m.version AND m.state = 'baseline'
  AND l.seq = (SELECT max(n.seq) FROM pgalter.audit_log n WHERE n.subject = m.version
               AND n.event LIKE 'migration.%');
