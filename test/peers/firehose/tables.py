"""Makes tables of what the transformation of docs/examples/firehose answered, and asks them.

    tables.py FOLDER VIEW.SQL < {"columns": {name: Hive's type}, "deliveries": [[row, …], …]}

Each delivery becomes a Parquet file with the schema of the Glue table, as Firehose's conversion makes one, in the folder of a day of its
own. Prints one JSON object: the rows as pyarrow reads them back, what DuckDB finds through the view, and what an Iceberg table holds to
which the same deliveries were upserted by `event_id`.
"""

import json
import pathlib
import sys
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField, StringType, TimestampType

ARROW = {"string": pa.string(), "bigint": pa.int64(), "timestamp": pa.timestamp("us")}
ICEBERG = {"string": StringType(), "bigint": LongType(), "timestamp": TimestampType()}


def table_of(rows, columns):
    schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
    unknown = {name for row in rows for name in row} - set(columns)
    if unknown:
        raise SystemExit(f"columns that the table has not: {unknown}")
    typed = [
        {name: datetime.fromisoformat(value.rstrip("Z")) if columns[name] == "timestamp" else value for name, value in row.items()}
        for row in rows
    ]
    return pa.Table.from_pylist(typed, schema=schema)


def iceberg_rows(folder, tables, columns):
    catalog = SqlCatalog("local", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("rtms")
    fields = [
        NestedField(field_id=number, name=name, field_type=ICEBERG[kind], required=name == "event_id")
        for number, (name, kind) in enumerate(columns.items(), start=1)
    ]
    table = catalog.create_table("rtms.transcript_lines", Schema(*fields, identifier_field_ids=[1]))
    for arrow in tables:
        # Iceberg takes no batch in which an identity is twice: of those, one is enough, as they are equal.
        seen, keep = set(), []
        for index, name in enumerate(arrow["event_id"].to_pylist()):
            if name not in seen:
                seen.add(name)
                keep.append(index)
        table.upsert(arrow.take(keep).cast(table.schema().as_arrow()))
    return sorted(table.scan().to_arrow()["event_id"].to_pylist())


def main():
    folder, view = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text("utf-8")
    given = json.load(sys.stdin)
    columns = given["columns"]
    tables = [table_of(rows, columns) for rows in given["deliveries"]]
    for number, table in enumerate(tables, start=1):
        day = folder / "rows" / f"day=2026-11-{number:02}"
        day.mkdir(parents=True)
        pq.write_table(table, day / "part.parquet", compression="snappy")
    partitioning = ds.partitioning(pa.schema([("day", pa.string())]), flavor="hive")
    read = ds.dataset(folder / "rows", partitioning=partitioning).to_table()
    rows = [{name: value for name, value in row.items() if value is not None} for row in read.to_pylist()]

    database = duckdb.connect()
    files = str(folder / "rows" / "*" / "*.parquet")
    database.execute(f"CREATE VIEW transcript_lines AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
    database.execute(view)
    asked = database.execute("SELECT event_id, said FROM transcripts ORDER BY event_id").fetchall()
    versions = {"pyarrow": pa.__version__, "duckdb": duckdb.__version__}
    iceberg = iceberg_rows(folder, tables, columns)
    print(json.dumps({"rows": rows, "asked": asked, "iceberg": iceberg, "versions": versions}, default=str))


main()
