SET work_mem = '8MB';
