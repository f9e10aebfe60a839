import { describe, it } from "node:test";

type Test = () => Promise<void> | void;

/** One test for every row of a table of requirements, neither more nor less: the compiler sees to it. */
export function suite<Name extends string>(title: string, tests: Readonly<Record<Name, Test>>): void {
  describe(title, () => {
    for (const [name, test] of Object.entries<Test>(tests)) it(name, test);
  });
}
