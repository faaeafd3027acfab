// The webhook in an Express router that is mounted, behind express.json(), as Zoom's examples have it.
import express from 'express';
import rtms from 'rtms-kinesis';

const app = express();
app.use(express.json());
const router = express.Router();
const callback = ({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.onAudioData((data, size, timestamp, { userName }) => console.log(`audio of ${userName}`));
  client.join(payload);
};
router.post('/webhook', rtms.createWebhookHandler(callback, '/webhook'));
app.use('/zoom', router);
const server = app.listen(0, () => console.log(`listening on port ${server.address().port}`));
