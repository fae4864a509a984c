-- truth: safe: no table uses the domain
-- base: shop

CREATE DOMAIN percent AS integer;
ALTER DOMAIN percent ADD CONSTRAINT percent_range CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE rebates (id bigint PRIMARY KEY, rate percent);
