export function saveFigures(measurement: string, command: string, figures: object): string;
