import { DataType, type Table, tableFromIPC } from "apache-arrow";

/** What the server knows of a file that it could read. */
export interface ArrowFacts {
  readonly table: Table;
  /** Type by column, in Arrow's words. */
  readonly columns: ReadonlyMap<string, DataType>;
}

/** Reads the bytes as an Arrow IPC file. @throws {Error} with what is wrong with them; the stream form is refused. */
export function readArrowFile(bytes: Buffer): ArrowFacts {
  if (bytes.length === 0) throw new Error("the body is empty");
  if (bytes.toString("latin1", 0, 8) !== "ARROW1\0\0") throw new Error("not an Arrow IPC file: no magic at its start");
  if (bytes.toString("latin1", bytes.length - 6) !== "ARROW1")
    throw new Error("not an Arrow IPC file: no magic at its end");
  const table = tableFromIPC(bytes);
  const columns = new Map<string, DataType>();
  for (const field of table.schema.fields) {
    if (columns.has(field.name)) throw new Error(`column ${field.name} is there twice`);
    columns.set(field.name, field.type);
    const column = table.getChild(field.name);
    if (column?.length !== table.numRows) throw new Error(`column ${field.name} is not as long as the table`);
    if (isTrouble(field.type)) throw new Error(`column ${field.name} has the type ${field.type}, which makes trouble`);
    // Every value is read: offsets and bitmaps that do not fit show here.
    for (let row = 0; row < table.numRows; row++) void column.get(row);
  }
  return { table, columns };
}

/** Types that the server's reader has had trouble with, or that the viewer cannot show. */
function isTrouble(type: DataType): boolean {
  return (
    DataType.isDictionary(type) ||
    DataType.isList(type) ||
    DataType.isStruct(type) ||
    DataType.isDecimal(type) ||
    DataType.isDuration(type) ||
    DataType.isNull(type)
  );
}

export function isInteger(type: DataType | undefined): boolean {
  return type !== undefined && DataType.isInt(type);
}

export function isNumeric(type: DataType | undefined): boolean {
  return type !== undefined && (DataType.isInt(type) || DataType.isFloat(type));
}
