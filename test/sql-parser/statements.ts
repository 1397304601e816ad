/** Statements that must parse, by where they come from. Shared by the round trip and the fuzz tests. */

/** The examples of CnosDB's page on backup and restore, as printed there. `us‑east‑1` has non-breaking hyphens. */
export const BACKUP_PAGE: readonly string[] = [
  `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'CSV', DELIMITER = ',');`,
  `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'PARQUET');`,
  `COPY INTO 'file:///tmp/air' FROM air
        FILE_FORMAT = (TYPE = 'JSON');`,
  `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'CSV', DELIMITER = ',');`,
  `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'PARQUET', DELIMITER = ',');`,
  `COPY INTO air FROM 'file:///tmp/air/'
        FILE_FORMAT = (TYPE = 'JSON', DELIMITER = ',');`,
  `COPY INTO air FROM 's3://test/air/'
        CONNECTION = (
        region = 'us‑east‑1',
        access_key_id = '****************',
        secret_key = '****************'
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO 's3://test/air' FROM air
        CONNECTION = (
        region = 'us‑east‑1',
        access_key_id = '****************',
        secret_key = '****************'
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO air FROM 'gcs://test/air/'
        CONNECTION = (
        gcs_base_url = 'http://localhost:4443',
        disable_oauth = true
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO 'gcs://test/air' FROM air
        CONNECTION = (
        gcs_base_url = 'http://localhost:4443',
        disable_oauth = true
        )
        FILE_FORMAT = (TYPE = 'CSV');`,
  `COPY INTO air FROM 'azblob://test/air/'
        CONNECTION = (
            account = 'devstoreaccount1',
            access_key = '*****'
        )
        FILE_FORMAT = (TYPE = 'CSV'); `,
  `COPY INTO 'azblob://test/air/' FROM air
        CONNECTION = (
            account = 'devstoreaccount1',
            access_key = '*****'
        )
        FILE_FORMAT = (TYPE = 'CSV'); `,
]

const COPY_STATEMENTS: readonly string[] = [
  "copy into 'file:///tmp/data/csv_out/' FROM test001 file_format = (type 'csv')",
  "copy into 'file:///tmp/a' from (select time, \"name\" from db.t where x > 1 and y in (1, 2)) file_format = (type = 'parquet')",
  "copy into 'file:///tmp/a' from (with q as (select 1 as a) select * from q union all values (2))",
  "copy into 'file:///tmp/a' from ((select 1) union (select 2))",
  "copy into 'file:///tmp/a' from 'tbl'",
  "copy into 'file:///tmp/a' from db.'Tbl'",
  'COPY INTO "file:///x" FROM t',
  'COPY INTO t FROM "file:///tmp/x/"',
  "COPY INTO t FROM 'x' FILE_FORMAT (TYPE='CSV' WITH_HEADER=true) COPY_OPTIONS (AUTO_INFER_SCHEMA = false)",
  "COPY INTO t FROM 'x' COPY_OPTIONS = (auto_infer_schema = TRUE) FILE_FORMAT = (type 'json') CONNECTION = (region 'r')",
  "COPY INTO t FROM 'x' CONNECTION = (a = 'b') CONNECTION = (c = 'd')",
  "COPY INTO t FROM 'x' FILE_FORMAT = (type 'csv', 'delimiter' = ';', \"with_header\" false)",
  "COPY INTO t FROM 'x' FILE_FORMAT = (type = 'csv', type = 'json')",
  "COPY INTO db.inner_csv_v2 (time, tag1, tag2, bigint_c) FROM 'file:///a/b.csv' FILE_FORMAT = (TYPE = 'CSV')",
  'COPY INTO t (time, TAGS(a, "B"), f) FROM \'x\'',
  "COPY /* all */ INTO t -- the table\n FROM 'x' ;",
  "COPY INTO t FROM 'x' COPY_OPTIONS = (ON_ERROR = 'abort')",
  "COPY INTO t FROM 's3://b/x' CONNECTION = (region='r', secret_key='a''b', token='it;s', virtual_hosted_style = false);",
  "COPY INTO 'gcs://b/x' FROM t CONNECTION = (private_key = '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n', client_email='a@b')",
]

const EXPLAIN_STATEMENTS: readonly string[] = [
  'EXPLAIN SELECT 1',
  'explain analyze verbose select * from t',
  'EXPLAIN FORMAT tree SELECT 1',
  "explain COPY INTO 'file:///tmp/data/parquet_out2/' FROM (select 1 as col1, 'xx' as col2) file_format = (type = 'parquet')",
  'EXPLAIN INSERT INTO t VALUES (1)',
]

/** One of each shape that a dump of CnosDB has. */
const DUMP_STATEMENTS: readonly string[] = [
  `create tenant if not exists "acme" with comment='it''s a test', drop_after='7days';`,
  `create tenant if not exists "bare";`,
  `create tenant if not exists "lim" with comment='c', drop_after='7days', _limiter='{"object_config":{"max_users_number":1},"request_config":null}';`,
  `create user "anna" with hash_password='$2b$12$abcdefghijklmnopqrstuv', must_change_password=false, granted_admin=false;`,
  `create user if not exists "bob" with comment='ops', must_change_password=true, rsa_public_key='-----BEGIN PUBLIC KEY-----
x
-----END PUBLIC KEY-----', granted_admin=true;`,
  `create database if not exists "plant" with precision 'MS' max_memcache_size '128 MiB' memcache_partitions 8 wal_max_file_size '128 MiB' wal_sync 'false' strict_write 'false' max_cache_readers 32 ttl '11months 30days 3h 50m 24s' shard 2 replica 1 vnode_duration '1year';`,
  `create role "lead" inherit member;`,
  `create role "reader";`,
  `grant All on database "plant" to "lead";`,
  `grant Read on database "plant" to "reader";`,
  `grant Write on database "plant" to "reader";`,
  `alter tenant "acme" add user "bob" as "owner";`,
  `create table "plant"."air" ("temp" DOUBLE CODEC(GORILLA), "n" BIGINT UNSIGNED, tags ("station"));`,
  `create table "plant"."no_tags" ("temp" DOUBLE, tags ());`,
  `create table if not exists "usage_schema"."http_data_in" ("value" BIGINT UNSIGNED, tags ("database", "node_id"));`,
  `create table "plant"."geo" ("g" GEOMETRY, "h" GEOMETRY(POINT, 0), "s" STRING, "b" BOOLEAN CODEC(BITPACK), tags ("a", "b"));`,
  `create external table "plant"."ref" ("k" BIGINT, "v" DECIMAL(10,6)) stored as CSV with header row delimiter ',' location '/data/ref.csv';`,
  `create external table "plant"."gz" ("k" DATE) stored as CSV delimiter ',' compression type gzip location '/data/ref.csv.gz';`,
  `create external table "plant"."pq" stored as PARQUET location '/data/pq/';`,
  `create stream table "plant"."air_s" ("time" TIMESTAMP, "station" STRING, "temp" DOUBLE) with (db='plant', table='air', event_time_column='time') engine = tskv;`,
  `create stream table "plant"."air_w" with (db='plant', table='air', event_time_column='time', watermark_delay='5000ms') engine = tskv;`,
]

const OBJECT_STATEMENTS: readonly string[] = [
  'CREATE DATABASE d',
  'CREATE DATABASE IF NOT EXISTS "shop" WITH TTL \'30d\' SHARD 2',
  "create database d with ttl = '10d' replica=1 wal_sync='true'",
  "ALTER DATABASE d SET TTL '30d'",
  'alter database d set shard = 3',
  'DROP DATABASE d',
  "DROP DATABASE IF EXISTS d AFTER '1h'",
  'RECOVER DATABASE d',
  'recover database if exists d',
  'RECOVER TENANT IF EXISTS t',
  'DESCRIBE DATABASE d',
  'DESC TABLE db.t',
  'DESCRIBE TABLE t',
  'CREATE TABLE IF NOT EXISTS db.t (a DOUBLE, b BIGINT UNSIGNED CODEC(delta), TAGS (\'foo\', "Bar"))',
  'create table air(visibility double, temperature double, tags(station))',
  'create table t (tags bigint, codec string)',
  'CREATE TABLE t (a DOUBLE)',
  'ALTER TABLE t ADD FIELD c BIGINT UNSIGNED CODEC(QUANTILE)',
  'alter table db.t add tag x',
  'ALTER TABLE t ALTER c SET CODEC(ZSTD)',
  'ALTER TABLE t DROP c',
  'ALTER TABLE t RENAME COLUMN a TO b',
  'DROP TABLE IF EXISTS db.t',
  'drop table t;',
  "CREATE EXTERNAL TABLE IF NOT EXISTS nation (n_nationkey BIGINT NOT NULL, n_name VARCHAR,) STORED AS csv WITH HEADER ROW DELIMITER '|' LOCATION 'a/b.csv'",
  "create external table t location 'x' partitioned by (y, m) stored as ndjson options ('k' 'v', 'K2' 'v2') with order (a desc, b)",
  'CREATE TENANT t WITH object_config max_users_number = 1 max_databases = 3, coord_data_in remote_max = 10000 remote_initial = 0 remote_refill = 10000 remote_interval = 100 local_max = 100 local_initial = 0, http_queries remote_max 1',
  "ALTER TENANT t SET comment = 'x'",
  "ALTER TENANT t SET drop_after '1d'",
  'ALTER TENANT t SET coord_writes remote_max = 1',
  'ALTER TENANT t UNSET _limiter',
  'ALTER TENANT t UNSET comment',
  'alter tenant t set user u as r',
  'alter tenant t remove user u',
  "DROP TENANT IF EXISTS t AFTER '7d'",
  'CREATE USER IF NOT EXISTS u',
  "CREATE USER u WITH PASSWORD='a', MUST_CHANGE_PASSWORD=true, COMMENT = 'x'",
  "ALTER USER u SET password = 'x'",
  'ALTER USER u SET granted_admin = true',
  'ALTER USER u RENAME TO v',
  'DROP USER IF EXISTS u',
  'CREATE ROLE IF NOT EXISTS r INHERIT owner',
  'DROP ROLE r',
  'GRANT READ ON DATABASE d, WRITE ON DATABASE e TO ROLE r',
  'grant all on database d to role',
  'REVOKE ALL ON DATABASE d FROM r',
]

const DATA_STATEMENTS: readonly string[] = [
  'SELECT 1',
  'select * from "air" where "station" = \'it\'\'s; -- no\' -- yes ;\n and a = 1;',
  'WITH q AS (SELECT 1) SELECT * FROM q',
  'VALUES (1, 2), (3, 4)',
  '(select 1) union all (select 2)',
  "SELECT $$ ; $$, $tag$ ' $tag$, E'it\\'s;'",
  'INSERT INTO t VALUES (1)',
  'INSERT t (a, "B") SELECT 1, 2',
  'insert into table db.t values (1)',
  'insert into t (select 1)',
  'INSERT INTO "air" ("time","station","temp","n") VALUES (\'2024-01-01T00:00:00Z\',\'s1\',1.5,18446744073709551615), (\'2024-01-01T00:00:01.5Z\',\'s1\',NULL,2)',
  'DELETE FROM t',
  "delete from db.t where time < '2024-01-01' and tag in ('a', 'b')",
  "UPDATE t SET a = 1, b = case when a > (select max(x) from y where z = 1) then concat('a', 'b') else null end WHERE time = 1",
  'update t set a = 2',
  'SHOW DATABASES',
  'SHOW TABLES',
  'show tables on "Db"',
  'SHOW QUERIES',
  'SHOW STREAMS',
  'SHOW REPLICAS',
  'SHOW SERIES FROM t',
  'SHOW SERIES ON db FROM t WHERE time > 1 ORDER BY key LIMIT 3 OFFSET 1',
  'SHOW TAG VALUES FROM t WITH KEY = a',
  "SHOW TAG VALUES ON db FROM t WITH KEY != a WHERE x = 'y' LIMIT 1",
  'SHOW TAG VALUES FROM t WITH KEY IN (a, "B")',
  'SHOW TAG VALUES FROM t WITH KEY NOT IN (a)',
  'KILL QUERY 18446744073709551615',
]

/** Understood, and refused by name later. */
export const UNSUPPORTED_STATEMENTS: readonly (readonly [sql: string, feature: string])[] = [
  ['CREATE STREAM s TRIGGER ONCE AS SELECT 1', 'CREATE STREAM'],
  ['drop stream s', 'DROP STREAM'],
  ['COMPACT DATABASE d', 'COMPACT'],
  ['compact vnode 1', 'COMPACT'],
  ['COPY VNODE 1 TO NODE 2', 'COPY VNODE'],
  ['MOVE VNODE 1 TO NODE 2', 'MOVE'],
  ['DROP VNODE 1', 'DROP VNODE'],
  ['CHECKSUM GROUP 1', 'CHECKSUM'],
  ['REPLICA ADD replica_id 1 node_id 2', 'REPLICA'],
  ['CREATE VIEW v AS SELECT 1', 'CREATE VIEW'],
  ["CREATE UNBOUNDED EXTERNAL TABLE t STORED AS CSV LOCATION 'x'", 'CREATE UNBOUNDED'],
  ['BEGIN', 'BEGIN'],
  ['SET x = 1', 'SET'],
  ['SHOW COLUMNS FROM t', 'SHOW COLUMNS'],
]

export const ALL_STATEMENTS: readonly string[] = [
  ...BACKUP_PAGE,
  ...COPY_STATEMENTS,
  ...EXPLAIN_STATEMENTS,
  ...DUMP_STATEMENTS,
  ...OBJECT_STATEMENTS,
  ...DATA_STATEMENTS,
  ...UNSUPPORTED_STATEMENTS.map(([sql]) => sql),
]
