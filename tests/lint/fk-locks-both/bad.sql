-- proves: together customers orders
DROP TABLE reviews;
