export { filesSettings } from './settings.ts';
