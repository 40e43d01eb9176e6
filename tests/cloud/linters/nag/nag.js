// usage: node nag.js OUT TEMPLATE...
// The AWS Solutions rules of cdk-nag over templates; the report is OUT/validation-report.json.

const path = require('path');
const { App, Stack, Validations } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { AwsSolutionsChecks } = require('cdk-nag');

const [outdir, ...templates] = process.argv.slice(2);
const app = new App({ outdir, analyticsReporting: false });
for (const templateFile of templates) {
  const stack = new Stack(app, path.basename(templateFile, '.json'));
  new CfnInclude(stack, 'template', { templateFile });
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
