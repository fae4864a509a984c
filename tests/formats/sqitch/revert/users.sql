SELECT 'no users';
