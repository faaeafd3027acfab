import type { ComponentChildren } from 'preact';

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** What stands before the value where the table is narrow, and its rows are cards. @default `title` */
  readonly label?: string;
  /** Class of the cell. Ids are written in another font, and what is wrong in another colour. */
  readonly look?: (row: Row) => string;
  readonly cell: (row: Row) => ComponentChildren;
}

/** A table whose rows become cards at 400 pixels. The first column names the row. */
export function CardTable<Row>({
  rows,
  keyOf,
  columns,
}: {
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  columns: readonly Column<Row>[];
}) {
  return (
    <table class="cards">
      <thead>
        <tr>
          {columns.map(({ title }) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ title, label = title, look, cell }, index) =>
              index === 0 ? (
                <th key={title} scope="row" class={look?.(row)}>
                  {cell(row)}
                </th>
              ) : (
                <td key={title} data-label={label} class={look?.(row)}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
