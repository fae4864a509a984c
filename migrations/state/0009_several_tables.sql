-- A rebuild may be one of several tables, which change places in the same moment: each has its flows
-- ("forward", "forward_2") and its row.
ALTER TABLE pgalter.flow
  DROP CONSTRAINT flow_name_check,
  ADD CONSTRAINT flow_name_check CHECK (name ~ '^(forward|reverse)(_[1-9][0-9]*)?$');
ALTER TABLE pgalter.rebuild
  DROP CONSTRAINT rebuild_pkey,
  ADD PRIMARY KEY (run, shadow);
