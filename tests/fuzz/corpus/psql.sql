\set x 5
\i other.sql
COPY t (a, b) FROM stdin;
1	x
\.
SELECT :x, :'x', :"x" \gexec
\copy t from 'x'
