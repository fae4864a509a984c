SELECT 'no users@v1';
