-- A capture must not fill the disk of a server whose operator has gone home: without a runner it logs
-- on for a time, and up to a size, and gives up then. NULL: as of runs that were made before, never.
ALTER TABLE pgalter.flow
  ADD COLUMN deadline text,       -- the sequence that holds it, in seconds since 1970
  ADD COLUMN unattended interval,
  ADD COLUMN log_limit bigint;    -- bytes
