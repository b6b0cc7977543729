CREATE TYPE category AS ENUM ('books', 'games', 'garden', 'kitchen', 'music');
CREATE TABLE customers (
  id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, country char(2) NOT NULL, joined_at timestamptz NOT NULL, birthday date);
CREATE TABLE products (
  id int PRIMARY KEY, sku uuid NOT NULL, title text NOT NULL, kind category NOT NULL, price numeric(10,2) NOT NULL, tags text[] NOT NULL,
  attributes jsonb);
CREATE TABLE orders (
  id bigint NOT NULL, customer_id bigint NOT NULL, ordered_at timestamptz NOT NULL, status text NOT NULL, total numeric(12,2) NOT NULL,
  PRIMARY KEY (id, ordered_at)) PARTITION BY RANGE (ordered_at);
CREATE TABLE orders_2026_q1 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2026-04-01');
CREATE TABLE orders_2026_q2 PARTITION OF orders FOR VALUES FROM ('2026-04-01') TO ('2026-07-01');
CREATE TABLE orders_2026_q3 PARTITION OF orders FOR VALUES FROM ('2026-07-01') TO ('2026-10-01');
CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
CREATE TABLE payments (
  id uuid PRIMARY KEY, order_id bigint NOT NULL, paid_at timestamp NOT NULL, amount numeric(12,2) NOT NULL, method text NOT NULL, fee real);
CREATE TABLE page_views (seen_at timestamptz NOT NULL, path text NOT NULL, customer_id bigint, seconds double precision, referrer inet);

INSERT INTO customers
SELECT g, (ARRAY['Ada','Grace','Linus','Edsger','Barbara','Ken','Radia','Donald'])[1 + g % 8] || ' '
          || (ARRAY['Berg','Lind','Dahl','Haugen','Moen','Strand'])[1 + g % 6],
  'c' || g || '@example.com', (ARRAY['NO','SE','DK','DE','FR','GB','US'])[1 + g % 7],
  timestamptz '2023-01-01 08:00+01' + make_interval(hours => g), CASE WHEN g % 5 = 0 THEN NULL ELSE date '1960-01-01' + g % 15000 END
FROM generate_series(1, 20000) g;
INSERT INTO products
SELECT g, md5('sku' || g)::uuid, 'Product no. ' || g, (enum_range(NULL::category))[1 + g % 5], (99 + g * 37 % 20000) / 100.0,
  CASE g % 4 WHEN 0 THEN '{}' WHEN 1 THEN '{new}' WHEN 2 THEN '{new,sale}' ELSE '{sale,"last one"}' END::text[],
  CASE WHEN g % 3 = 0 THEN NULL ELSE jsonb_build_object('weight', g % 50 / 10.0, 'colour', (ARRAY['red','green','blå'])[1 + g % 3]) END
FROM generate_series(1, 1000) g;
INSERT INTO orders
SELECT g, 1 + g * 7 % 20000, timestamptz '2026-01-01 00:00+01' + make_interval(mins => g * 4), (ARRAY['paid','paid','paid','open','returned'])[1 + g % 5],
  (500 + g * 91 % 50000) / 100.0
FROM generate_series(1, 100000) g;
INSERT INTO payments
SELECT md5('payment' || id)::uuid, id, ordered_at AT TIME ZONE 'UTC' + interval '90.5 seconds', total, (ARRAY['card','transfer','invoice'])[1 + id % 3], (id % 7) / 10.0
FROM orders WHERE status = 'paid';
INSERT INTO page_views
SELECT timestamptz '2026-08-01 00:00+00' + make_interval(secs => g * 13.25), '/p/' || 1 + g % 1000, CASE WHEN g % 3 = 0 THEN NULL ELSE 1 + g % 20000 END,
  g % 300 / 7.0, CASE WHEN g % 10 = 0 THEN '192.0.2.1' END::inet
FROM generate_series(1, 150000) g;
ANALYZE;
