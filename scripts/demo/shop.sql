CREATE TYPE category AS ENUM ('coffee', 'tea', 'kitchen', 'garden', 'books', 'music');
CREATE TYPE order_status AS ENUM ('placed', 'paid', 'shipped', 'returned', 'cancelled');

CREATE TABLE customers (
  id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, city text NOT NULL, country char(2) NOT NULL,
  time_zone text NOT NULL, joined_at timestamptz NOT NULL, birthday date, newsletter boolean NOT NULL);
CREATE TABLE products (
  id integer PRIMARY KEY, sku uuid NOT NULL UNIQUE, title text NOT NULL, category category NOT NULL, price numeric(10,2) NOT NULL,
  tags text[] NOT NULL, rating real, released_on date NOT NULL);
CREATE TABLE inventory (
  product_id integer NOT NULL REFERENCES products, warehouse text NOT NULL, quantity integer NOT NULL, attributes jsonb NOT NULL,
  counted_at timestamptz NOT NULL, PRIMARY KEY (product_id, warehouse));
CREATE TABLE orders (
  id bigint NOT NULL, customer_id bigint NOT NULL REFERENCES customers, ordered_at timestamptz NOT NULL, status order_status NOT NULL,
  total numeric(12,2) NOT NULL, deliver_from time, gift_note text, PRIMARY KEY (id, ordered_at)) PARTITION BY RANGE (ordered_at);
CREATE TABLE order_items (
  order_id bigint NOT NULL, line smallint NOT NULL, product_id integer NOT NULL REFERENCES products, quantity smallint NOT NULL,
  unit_price numeric(10,2) NOT NULL, discount numeric(4,3) NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE payments (
  id uuid PRIMARY KEY, order_id bigint NOT NULL, paid_at timestamptz NOT NULL, booked_at timestamp NOT NULL, amount numeric(12,2) NOT NULL,
  method text NOT NULL, fee numeric(8,4) NOT NULL);
CREATE TABLE page_views (
  seen_at timestamptz NOT NULL, path text NOT NULL, customer_id bigint, seconds double precision, address inet NOT NULL);

DO $$ BEGIN
  FOR month IN 0..11 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF orders FOR VALUES FROM (%L) TO (%L)',
      'orders_' || to_char(date '2025-01-01' + make_interval(months => month), 'YYYY_MM'),
      timestamptz '2025-01-01 00:00Z' + make_interval(months => month), timestamptz '2025-01-01 00:00Z' + make_interval(months => month + 1));
  END LOOP;
END $$;

-- The same shop each time: numbers come from hashes of the row's own number, never from random().
CREATE FUNCTION pick(row_number bigint, salt bigint, choices bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
  'SELECT (hashint8extended($1, $2) & 9223372036854775807) % $3';

CREATE TEMP TABLE cities (at bigint, city text, country char(2), time_zone text) ON COMMIT DROP;
INSERT INTO cities VALUES
  (0, 'Oslo', 'NO', 'Europe/Oslo'), (1, 'Bergen', 'NO', 'Europe/Oslo'), (2, 'Tromsø', 'NO', 'Europe/Oslo'), (3, 'Stockholm', 'SE', 'Europe/Stockholm'),
  (4, 'Malmö', 'SE', 'Europe/Stockholm'), (5, 'København', 'DK', 'Europe/Copenhagen'), (6, 'Berlin', 'DE', 'Europe/Berlin'), (7, 'Köln', 'DE', 'Europe/Berlin'),
  (8, 'London', 'GB', 'Europe/London'), (9, 'Lisboa', 'PT', 'Europe/Lisbon'), (10, 'New York', 'US', 'America/New_York'),
  (11, 'San Francisco', 'US', 'America/Los_Angeles'), (12, '東京', 'JP', 'Asia/Tokyo'), (13, 'Sydney', 'AU', 'Australia/Sydney');

INSERT INTO customers
SELECT n, first || ' ' || last, lower(translate(first || '.' || last, 'åøæö', 'aoao')) || n || '@example.com', city, country, time_zone,
  timestamptz '2021-03-01 08:00Z' + make_interval(secs => pick(n, 4, 120000000)),
  CASE WHEN pick(n, 5, 6) > 0 THEN date '1950-01-01' + pick(n, 6, 20000)::int END, pick(n, 7, 3) = 0
FROM (SELECT n, pick(n, 1, 36) % 14 AS at,
    (ARRAY['Ada','Astrid','Bjørn','Clara','David','Emma','Freya','George','Hana','Ingrid','Jonas','Karin','Lars','Maria','Nora','Olav','Pedro','Sofia','Tomás','Yuki'])[1 + pick(n, 2, 20)] AS first,
    (ARRAY['Andersen','Berg','Costa','Dahl','Eriksson','Fischer','Green','Haugen','Ito','Johansen','Keller','Lind','Møller','Novak','Olsen','Parker','Strand','Tanaka','Vik','Weber'])[1 + pick(n, 3, 20)] AS last
  FROM generate_series(1, 6000) AS n) AS people JOIN cities USING (at);

INSERT INTO products
SELECT n, md5('sku ' || n)::uuid, adjective || ' ' || noun, kind::category, (199 + pick(n, 14, 9000) * (1 + pick(n, 15, 2))) / 100.0,
  array_remove(ARRAY[
    CASE WHEN n % 3 = 0 THEN 'organic' END, CASE WHEN n % 4 = 1 THEN 'gift' END, CASE WHEN n % 5 = 2 THEN 'new' END,
    CASE WHEN n % 7 = 3 THEN 'sale' END, CASE WHEN n % 11 = 4 THEN 'last one, really' END], NULL),
  CASE WHEN pick(n, 16, 8) > 0 THEN (20 + pick(n, 17, 31)) / 10.0 END, date '2019-01-01' + pick(n, 18, 2300)::int
FROM (SELECT n, (ARRAY['coffee','tea','kitchen','garden','books','music'])[1 + n % 6] AS kind,
    (ARRAY['Nordic','Quiet','Golden','Midnight','Handmade','Wild','Little','Grand','Amber','Northern'])[1 + pick(n, 12, 10)] AS adjective,
    CASE n % 6
      WHEN 0 THEN (ARRAY['Espresso','Filter Roast','Cold Brew','Decaf'])[1 + pick(n, 13, 4)] WHEN 1 THEN (ARRAY['Earl Grey','Sencha','Rooibos','Oolong'])[1 + pick(n, 13, 4)]
      WHEN 2 THEN (ARRAY['Kettle','Grinder','Mug','Bread Knife'])[1 + pick(n, 13, 4)] WHEN 3 THEN (ARRAY['Watering Can','Lavender','Bird House','Trowel'])[1 + pick(n, 13, 4)]
      WHEN 4 THEN (ARRAY['Cookbook','Atlas','Field Guide','Novel'])[1 + pick(n, 13, 4)] ELSE (ARRAY['Ballads','Sonatas','Folk Songs','Nocturnes'])[1 + pick(n, 13, 4)] END AS noun
  FROM generate_series(1, 480) AS n) AS goods;

INSERT INTO inventory
SELECT products.id, warehouse, pick(products.id * 10 + at, 21, 400)::int,
  jsonb_build_object('shelf', chr((65 + pick(products.id, 22, 8))::int) || pick(products.id, 23, 40), 'weight_kg', pick(products.id, 24, 500) / 100.0,
    'handling', CASE WHEN pick(products.id, 25, 4) = 0 THEN jsonb_build_array('fragile', 'keep dry') ELSE '[]' END),
  timestamptz '2025-12-31 06:00Z' - make_interval(mins => pick(products.id * 10 + at, 26, 5000)::int)
FROM products, (VALUES (1, 'Oslo'), (2, 'Hamburg'), (3, 'Newark')) AS places (at, warehouse);

-- More orders each month, many in the weeks before Christmas, most of them in the evening.
CREATE TEMP TABLE baskets ON COMMIT DROP AS
SELECT n, 1 + (pick(n, 31, 6000) * pick(n, 32, 6000)) / 6000 AS customer_id,
  timestamptz '2025-01-01 00:00Z' + make_interval(days =>
      CASE WHEN pick(n, 33, 10) < 2 THEN 325 + pick(n, 34, 32)::int ELSE floor(364.9 * (sqrt(0.16 + 0.84 * pick(n, 34, 100000) / 100000.0) - 0.4) / 0.6)::int END,
    secs => 21600 + pick(n, 35, 32000) + pick(n, 36, 32000)) AS ordered_at
FROM generate_series(1, 36000) AS n;
INSERT INTO order_items
SELECT n, line, product_id, 1 + pick(n * 8 + line, 43, 3), price, CASE WHEN 'sale' = ANY (tags) THEN 0.150 ELSE 0 END
FROM (SELECT n, line, 1 + (pick(n * 8 + line, 41, 480) * pick(n * 8 + line, 42, 480)) / 480 AS product_id
    FROM baskets, LATERAL generate_series(1, 1 + pick(n, 40, 4)) AS line) AS lines JOIN products ON products.id = product_id;
INSERT INTO orders
SELECT n, customer_id, ordered_at, (ARRAY['shipped','shipped','shipped','shipped','shipped','paid','paid','placed','returned','cancelled'])[1 + pick(n, 51, 10)]::order_status,
  (SELECT sum(round(quantity * unit_price * (1 - discount), 2)) FROM order_items WHERE order_id = n),
  CASE WHEN pick(n, 52, 3) = 0 THEN time '08:00' + make_interval(mins => 30 * pick(n, 53, 20)::int) END,
  CASE WHEN pick(n, 54, 25) = 0 THEN 'Happy birthday! 🎂' END
FROM baskets ORDER BY n;
INSERT INTO payments
SELECT md5('payment ' || id)::uuid, id, ordered_at + make_interval(secs => 30 + pick(id, 61, 900000) / 1000.0),
  (ordered_at + make_interval(secs => 30 + pick(id, 61, 900000) / 1000.0)) AT TIME ZONE 'Europe/Oslo', total,
  (ARRAY['card','card','card','invoice','vipps','klarna'])[1 + pick(id, 62, 6)], round(total * 0.0135 + 0.25, 4)
FROM orders WHERE status IN ('paid', 'shipped', 'returned');
INSERT INTO page_views
SELECT timestamptz '2025-12-01 00:00Z' + make_interval(secs => n * 43.7), CASE WHEN pick(n, 71, 9) = 0 THEN '/' ELSE '/products/' || 1 + pick(n, 72, 480) END,
  CASE WHEN pick(n, 73, 3) = 0 THEN 1 + pick(n, 74, 6000) END, CASE WHEN pick(n, 75, 10) > 0 THEN pick(n, 76, 240000) / 1000.0 END,
  ('192.0.2.' || pick(n, 77, 254) + 1)::inet
FROM generate_series(1, 60000) AS n;
DROP FUNCTION pick;
ANALYZE;
