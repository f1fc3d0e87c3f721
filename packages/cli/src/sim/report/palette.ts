/** Colors of the style sheet, for a canvas, which does not know custom properties. */
export class Palette {
  readonly #colors = new Map<string, string>();

  get(property: string): string {
    let color = this.#colors.get(property);
    if (color === undefined) {
      color = getComputedStyle(document.documentElement).getPropertyValue(property).trim();
      this.#colors.set(property, color);
    }
    return color;
  }

  /** The page is light now that was dark, or the other way round. */
  forget(): void {
    this.#colors.clear();
  }
}
