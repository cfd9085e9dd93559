"""Files and feedback over HTTP."""

from attrs import frozen

from qlive_app.http.answers import FeedbackAnswer, UploadTokenAnswer
from qlive_app.http.call import Call
from qlive_app.http.operations import Operation
from qlive_app.http.replies import Reply, json_reply
from qlive_app.http.schemas import FeedbackBody, UploadTokenBody
from qlive_app.services import Services


@frozen
class UploadRoutes:
    """What users send to be kept."""

    services: Services

    async def upload_token(self, call: Call, body: UploadTokenBody) -> Reply:
        permission = self.services.uploads.permit(call.user_id, body.filename, body.expire_s)
        return json_reply(UploadTokenAnswer(token=permission.token, expire_at=permission.expires_at))

    async def feedback(self, call: Call, body: FeedbackBody) -> Reply:
        outcome = await self.services.uploads.give_feedback(call.user_id, body.content, body.attachment)
        self.services.effects.run(outcome.effects)
        return json_reply(FeedbackAnswer(feedback_id=str(outcome.reply)))

    def operations(self) -> tuple[Operation, ...]:
        """Return the routes of this module."""
        return (
            Operation(
                method="POST",
                path="/v1/upload/token",
                name="uploadToken",
                tag="uploads",
                summary="Get permission to upload one file",
                body=UploadTokenBody,
                answer=UploadTokenAnswer,
                run=self.upload_token,
            ),
            Operation(
                method="POST",
                path="/v1/feedbacks",
                name="giveFeedback",
                tag="uploads",
                summary="Tell the operators something",
                body=FeedbackBody,
                answer=FeedbackAnswer,
                run=self.feedback,
            ),
        )
