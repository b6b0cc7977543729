-- Changes to the first million trips: 100 transactions, each of 10,000 inserts, 2,000 updates and 1,000 deletes. :round makes ids that no other round has.
DO $do$
DECLARE k bigint;
BEGIN
  FOR k IN 0..99 LOOP
    INSERT INTO trips_cdc
      SELECT t.id + 100000000 * :round, t.vendor_id, t.pickup_at, t.dropoff_at, t.passenger_count, t.trip_distance, t.rate_code_id,
             t.store_and_fwd, t.pu_location_id, t.do_location_id, t.payment_type, t.fare_amount, t.extra, t.tip_amount, t.tolls_amount,
             t.total_amount, t.service_date, t.note
      FROM trips AS t WHERE t.id > 1000000 + k * 10000 AND t.id <= 1010000 + k * 10000;
    UPDATE trips_cdc SET tip_amount = tip_amount + :round, note = 'changed in round ' || :round, passenger_count = NULL
      WHERE id > k * 10000 AND id <= (k + 1) * 10000 AND id % 10 IN (1, 2);
    DELETE FROM trips_cdc WHERE id > k * 10000 AND id <= (k + 1) * 10000 AND id % 10 = 3;
    COMMIT;
  END LOOP;
END $do$;
