// The webhook in a Nest controller (decorators applied by hand), with a global prefix.
require('reflect-metadata');
const { Controller, Module, Post, Req, Res } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const rtms = require('rtms-kinesis').default;

const handler = rtms.createWebhookHandler(({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.onAudioData((data, size, timestamp, { userName }) => console.log(`audio of ${userName}`));
  client.join(payload);
}, '/api/zoom/webhook');

class ZoomController {
  webhook(request, response) {
    return handler(request, response);
  }
}
Req()(ZoomController.prototype, 'webhook', 0);
Res()(ZoomController.prototype, 'webhook', 1);
Post('webhook')(
  ZoomController.prototype,
  'webhook',
  Object.getOwnPropertyDescriptor(ZoomController.prototype, 'webhook'),
);
Controller('zoom')(ZoomController);
class AppModule {}
Module({ controllers: [ZoomController] })(AppModule);

NestFactory.create(AppModule, { logger: false }).then(async (app) => {
  app.setGlobalPrefix('api');
  await app.listen(0);
  console.log(`listening on port ${app.getHttpServer().address().port}`);
});
