SELECT 'no orders';
