CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer bigint NOT NULL REFERENCES customers,
  total numeric(12, 2) NOT NULL,
  placed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO customers (name) SELECT 'Customer ' || n FROM generate_series(1, 100) n;
INSERT INTO orders (customer, total) SELECT n % 100 + 1, n FROM generate_series(1, 1000) n;
