-- Whether a rebuild may swap its tables once it is ready; without a wish, as the run was asked to.
ALTER TABLE pgalter.control
  ADD COLUMN cutover text CHECK (cutover IN ('wait', 'now')),
  ADD COLUMN cutover_at timestamptz;
