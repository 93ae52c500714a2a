import { type BlockChoice, EVENTS, eventDefinition } from "@hookwell/sdk";
import { Checkbox, NativeSelect, Radio, Text, VisuallyHidden } from "@mantine/core";
import { useMemo } from "react";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage, useMay } from "../session/queries.ts";
import { Callout } from "../ui/Callout.tsx";
import { LimitedInput } from "../ui/LimitedInput.tsx";
import { countries } from "./countries.ts";
import { needsRecipient } from "./draft.ts";
import { type Form, fieldId } from "./form.ts";
import { Section } from "./Section.tsx";
import classes from "./What.module.css";

const ORGANISATION_MAX_CHARACTERS = 200;
const PURPOSE_MAX_CHARACTERS = 500;

function Block({
  name,
  value,
  locked = false,
  onChange,
}: {
  name: "practitioner" | "patient";
  value: BlockChoice;
  /** It may be less than it is, and not more. */
  locked?: boolean;
  onChange: (value: BlockChoice) => void;
}) {
  const { t } = useTranslation();
  const ticked = value !== "off";
  return (
    <div className={classes.block}>
      <Checkbox
        label={t(`webhooks.what.${name}`)}
        description={locked ? t("embed.patientLocked") : t(`webhooks.what.${name}Text`)}
        checked={ticked}
        disabled={locked && !ticked}
        onChange={() => onChange(ticked ? "off" : "all")}
      />
      {ticked && (
        <Radio.Group
          className={classes.extent}
          label={<VisuallyHidden>{t("webhooks.what.howMuch", { block: t(`webhooks.what.${name}`) })}</VisuallyHidden>}
          value={value}
          onChange={(chosen) => onChange(chosen === "id" ? "id" : "all")}
        >
          <div className={classes.radios}>
            <Radio value="all" disabled={locked && value === "id"} label={t("webhooks.what.all")} />
            <Radio value="id" label={t("webhooks.what.id")} />
          </div>
        </Radio.Group>
      )}
    </div>
  );
}

function CountrySelect({
  value,
  error,
  onChange,
}: {
  value: string;
  error: string | undefined;
  onChange: (code: string) => void;
}) {
  const { t } = useTranslation();
  const locale = FORMAT_LOCALES[useLanguage()];
  const options = useMemo(() => countries(locale), [locale]);
  return (
    <NativeSelect
      id={fieldId("country")}
      label={t("webhooks.recipient.country")}
      data={[{ value: "", label: t("webhooks.recipient.chooseCountry") }, ...options]}
      value={value}
      error={error}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** Who receives patients' data, and why: asked as soon as any would leave the clinic. */
function RecipientRecord({ form: { draft, change, errors } }: { form: Form }) {
  const { t } = useTranslation();
  const { recipient } = draft;
  const set = (changes: Partial<typeof recipient>) => change({ recipient: { ...recipient, ...changes } });
  return (
    <fieldset className={classes.recipient}>
      <legend className={classes.legend}>{t("webhooks.recipient.title")}</legend>
      <Text size="sm" c="dimmed">
        {t("webhooks.recipient.text")}
      </Text>
      <LimitedInput
        id={fieldId("organisation")}
        label={t("webhooks.recipient.organisation")}
        max={ORGANISATION_MAX_CHARACTERS}
        value={recipient.organisation}
        error={errors.organisation}
        onChange={(event) => set({ organisation: event.currentTarget.value })}
      />
      <CountrySelect value={recipient.country} error={errors.country} onChange={(country) => set({ country })} />
      <LimitedInput
        id={fieldId("purpose")}
        label={t("webhooks.recipient.purpose")}
        description={t("webhooks.recipient.purposeText")}
        max={PURPOSE_MAX_CHARACTERS}
        value={recipient.purpose}
        error={errors.purpose}
        onChange={(event) => set({ purpose: event.currentTarget.value })}
      />
      <Checkbox
        label={t("webhooks.recipient.agreement")}
        description={t("webhooks.recipient.agreementText")}
        checked={recipient.agreement_on_file}
        onChange={(event) => set({ agreement_on_file: event.currentTarget.checked })}
      />
    </fieldset>
  );
}

/** What: which people's data goes along. Both boxes are off for a new webhook. */
export function What({ form }: { form: Form }) {
  const { t } = useTranslation();
  const { draft, change, errors } = form;
  const mayPatient = useMay("include-patient");
  const patientIsMessage = draft.events.some((event) => eventDefinition(event).patientAlways);
  const sendsConsults = draft.events.some((event) => EVENTS[event].group === "consults");
  return (
    <Section number={3} title={t("webhooks.what.title")} text={t("webhooks.what.text")}>
      <div id={fieldId("include")} tabIndex={-1} className={classes.blocks}>
        <Block name="practitioner" value={draft.practitioner} onChange={(practitioner) => change({ practitioner })} />
        <Block name="patient" value={draft.patient} locked={!mayPatient} onChange={(patient) => change({ patient })} />
      </div>
      {errors.include !== undefined && (
        <Text size="sm" c="var(--mantine-color-error)">
          {errors.include}
        </Text>
      )}
      {patientIsMessage && <Callout tone="calm" text={t("webhooks.what.patientIsMessage")} />}
      {needsRecipient(draft) && <RecipientRecord form={form} />}
      {(sendsConsults || draft.oneParticipantPerRequest) && (
        <Checkbox
          label={t("webhooks.what.onePerMessage")}
          description={t("webhooks.what.onePerMessageText")}
          checked={draft.oneParticipantPerRequest}
          onChange={(event) => change({ oneParticipantPerRequest: event.currentTarget.checked })}
        />
      )}
    </Section>
  );
}
