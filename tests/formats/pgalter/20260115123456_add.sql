-- pgalter: 1
-- title: a column
-- transaction: single
SELECT 'before';
-- pgalter:expand
SELECT 'expand';
-- pgalter:verify
SELECT 'asks';
-- pgalter:contract not_before=7d
-- pgalter:ignore drop-column reason="nobody reads it"
SELECT 'contract';
-- pgalter:down
SELECT 'down';
-- pgalter:down-verify
SELECT 'asks too';
