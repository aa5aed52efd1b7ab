// A first draft of an operation's variables: the ones it insists on, with a value of the right type to change.
import { isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField, typeFromAST } from "graphql";

const SCALARS = {
  Boolean: () => false,
  Date: () => new Date().toISOString().slice(0, 10),
  DateTime: () => new Date().toISOString(),
  Float: () => 0,
  Int: () => 20,
};

function sample(type) {
  if (isNonNullType(type)) return sample(type.ofType);
  if (isListType(type)) return [sample(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0].name;
  if (isInputObjectType(type)) return sampleObject(type);
  return SCALARS[type.name]?.() ?? "";
}

function sampleObject(type) {
  const fields = Object.values(type.getFields());
  // Of a one-of input exactly one field is given.
  const given = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
  return Object.fromEntries(given.map((field) => [field.name, sample(field.type)]));
}

// The variables of an operation's definition as JSON text; without a schema, only their names.
export function sampleVariables(definition, schema) {
  const required = definition.variableDefinitions.filter(
    ({ type, defaultValue }) => type.kind === "NonNullType" && !defaultValue,
  );
  if (required.length === 0) return "";
  const entries = required.map(({ variable, type }) => {
    const known = schema && typeFromAST(schema, type);
    return [variable.name.value, known ? sample(known) : null];
  });
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}
