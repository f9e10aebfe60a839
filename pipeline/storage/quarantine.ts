import type { Logger } from "../host.ts";
import { type Disk, withFile } from "./disk.ts";
import { segmentNumber } from "./segment.ts";

/** Where bytes go that are no record any more. */
export function quarantineName(id: number, offset: number): string {
  return `quarantine-${segmentNumber(id)}-${offset}.bin`;
}

/** Keeps bytes that are no record any more, for people to look at; says whether they could be written. */
export async function putAside(disk: Disk, name: string, bytes: Buffer, logger: Logger): Promise<boolean> {
  try {
    await withFile(disk, name, (file) => file.write([bytes], 0));
    return true;
  } catch (error) {
    logger.error({ file: name, error }, "Putting damaged bytes of the queue aside failed.");
    return false;
  }
}
