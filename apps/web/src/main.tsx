import './without-eval.ts';
import './styles/base.css';
import './styles/controls.css';
import './styles/sign-in.css';
import './styles/page.css';
import './styles/channel-list.css';
import './styles/conversation.css';
import './styles/messages.css';
import './styles/message-parts.css';
import './styles/panels.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
