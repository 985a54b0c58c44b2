/** VitePress's own theme with the fonts of the reader's machine, and wider pages. */
import theme from 'vitepress/theme-without-fonts';
import './style.css';

// biome-ignore lint/style/noDefaultExport: VitePress looks for it.
export default theme;
