/** The contents of the ```sh blocks of a Markdown page, in order. Blocks without `sh` are not commands to run. */
export function shellBlocks(markdown: string): string[] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string)
}
