-- truth: safe: each is, or becomes by itself, a value of its type
-- base: shop

CREATE TYPE shade AS ENUM ('light', 'dark');
CREATE TABLE settings (
  id integer PRIMARY KEY DEFAULT '7',
  small smallint NOT NULL DEFAULT ' 12 ',
  rate numeric(5,2) DEFAULT 'NaN',
  ratio double precision DEFAULT 1,
  half integer DEFAULT 1.5,
  price money DEFAULT 5,
  label text DEFAULT 5,
  flag boolean DEFAULT 'yes',
  flag2 boolean DEFAULT 't',
  flag3 varchar(5) DEFAULT false,
  shade shade DEFAULT 'dark',
  shades shade[] DEFAULT '{}',
  numbers int[] DEFAULT ARRAY[]::int[],
  doc jsonb DEFAULT '{}',
  doc2 json DEFAULT 'null',
  token uuid DEFAULT '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}',
  token_text text DEFAULT gen_random_uuid(),
  day date DEFAULT now(),
  day2 date DEFAULT 'today',
  stamp timestamp DEFAULT CURRENT_TIMESTAMP,
  stamp_text varchar(40) DEFAULT now(),
  pause interval DEFAULT '5 min',
  bits bit(3) DEFAULT B'101',
  span int4range DEFAULT '[1,5)',
  code char(2) DEFAULT 'DE'::character varying,
  who name DEFAULT current_user,
  number numeric DEFAULT '1e3',
  required required_text DEFAULT 'x',
  count positive_int DEFAULT 3
);
