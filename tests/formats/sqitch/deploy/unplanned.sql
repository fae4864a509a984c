BEGIN; SELECT 'unplanned'; COMMIT;
